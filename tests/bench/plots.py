"""The plots of docs/performance.md, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

Points = Sequence[tuple[int, float]]


def plot_concurrency(series: Mapping[str, Points], into: Path) -> None:
    """Draw objects per second over CONCURRENCY."""
    plt.switch_backend("svg")
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name, points in series.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks([at for at, _ in next(iter(series.values()))])
    axes.xaxis.set_major_formatter("{x:.0f}")
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
