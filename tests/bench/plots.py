"""The plots of docs/performance.md, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from bench.records import CEILING
from matplotlib import pyplot as plt

Points = Sequence[tuple[int, float]]


def plot_concurrency(curves: Mapping[str, Sequence[Mapping[str, float]]], into: Path) -> None:
    """Draw objects per second over CONCURRENCY, from the records of `bench.curves`."""
    plt.switch_backend("svg")
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name, points in curves.items():
        at_a_time = [each["concurrency"] for each in points]
        axes.plot(
            at_a_time, [each["objects_per_second"] for each in points], marker="o", label=name
        )
    axes.axhline(CEILING, color="gray", linestyle=":", label=f"a ceiling of {CEILING:,} a second")
    axes.set_xscale("log", base=2)
    axes.set_xticks(at_a_time)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="CONCURRENCY", ylabel="objects per second")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    _save(figure, into)


def plot_memory(points: Points, into: Path) -> None:
    """Draw resident memory over the objects moved."""
    plt.switch_backend("svg")
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    axes.plot(*zip(*points, strict=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="objects moved", ylabel="peak resident MiB")
    axes.set_ylim(bottom=0, top=125)
    axes.grid(visible=True, alpha=0.3)
    _save(figure, into)


def _save(figure: plt.Figure, into: Path) -> None:
    """Write it without a date, so that the same figures are the same file."""
    mpl.rcParams["svg.hashsalt"] = "s3-event-worker"
    figure.savefig(into, metadata={"Date": None})
    plt.close(figure)
