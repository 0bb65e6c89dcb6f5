"""How many weights a layer from image to image has, under each wish."""

for side, reach in ((12, 1), (28, 2), (224, 3)):
    full = (side * side) ** 2
    near = (
        sum(min(row + reach, side - 1) - max(row - reach, 0) + 1 for row in range(side)) ** 2
    )  # rows times columns that lie near enough
    same = (2 * side - 1) ** 2
    both = (2 * reach + 1) ** 2
    print(f"{side}×{side}: {full:,} → near {near:,} → same {same:,} → both {both}")
