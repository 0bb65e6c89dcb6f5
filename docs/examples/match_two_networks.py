"""Which kernel of one network is the twin of which kernel of another."""

from cnnviz import datasets, named, pair, record, to_input, trained

images = to_input(datasets.load("digits", "test").images[:500])
first, second = (trained(named(f"short-lenet-{seed}")).model() for seed in (0, 1))

for layer in ("conv1", "conv2", "fc1"):
    ours = record(first, images, layers=[layer])[layer]
    theirs = record(second, images, layers=[layer])[layer]
    twins = pair(ours, theirs)
    print(f"{layer}: mean correlation {twins.correlation.mean():.2f}")
    if layer == "conv1":
        for unit, partner in enumerate(twins.partner):
            print(f"  kernel {unit} goes with {partner}: {twins.correlation[unit]:.2f}")
