"""`python -m tests.bench`: every benchmark in turn."""

from tests.bench import (
    bench_atlas,
    bench_digits,
    bench_lab,
    bench_recording,
    bench_rendering,
    bench_survey,
    bench_training,
)

for bench in (
    bench_digits,
    bench_training,
    bench_recording,
    bench_rendering,
    bench_atlas,
    bench_survey,
    bench_lab,
):
    bench.main()
    print()
