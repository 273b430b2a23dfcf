"""From what was measured: results.md and the plots."""

import statistics

from matplotlib.figure import Figure

COLOURS = {"sklstm": "#0072B2", "sklstm_bfloat16": "#56B4E9", "hand_written": "#000000"}


def ratio(seconds, to):
    """Median over the rounds of the times divided by those of another contender."""
    return statistics.median(a / b for a, b in zip(seconds, to, strict=True))


def table(head, rows):
    """Write a Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def timing_table(entries, *bases):
    """Write windows per second, and the time of every contender over that of some of them."""
    rows = []
    for entry in entries:
        for name, seconds in entry["seconds"].items():
            rate = entry["windows"] / statistics.median(seconds)
            relative = [f"{ratio(seconds, entry['seconds'][base]):.2f}" for base in bases]
            where = [entry["size"], entry["threads"], f"{entry['windows']:,}"]
            first = f"{entry['first'][name]:.1f}"
            rows.append([name, *where, f"{rate:,.0f}", *relative, first])
    over = [f"time / {base}" for base in bases]
    head = ["contender", "size", "threads", "windows", "windows/s", *over, "first, s"]
    return table(head, rows)


def fit_table(entries):
    """Write times over those of the loop by hand, as it is and told to keep its memory."""
    kept = (
        "\nhand_written_kept: the same loop in a process that keeps the memory that a step "
        "frees (MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_). By default glibc's allocator "
        "does that in some processes, and in others not, by chance.\n"
    )
    return timing_table(entries, "hand_written", "hand_written_kept") + kept


def memory_table(memory):
    """Write peaks over the bytes of the series."""
    rows = []
    for name, peaks in memory["peaks"].items():
        for action, peak in peaks.items():
            times = f"{'' if peak['whole'] else '> '}{peak['bytes'] / memory['series']:.1f}"
            rows.append([name, action, f"{peak['bytes'] / 2**20:,.0f}", times])
    return table(["contender", "action", "MiB above the start", "times the series"], rows)


def growth_table(growth):
    """Write time per window and memory by the number of windows."""
    few, rows = growth[0], []
    for entry in growth:
        row = [f"{entry['windows']:,}"]
        for action in ("fit", "predict"):
            seconds, of_few = (each[f"{action}_seconds_per_window"] for each in (entry, few))
            row += [f"{statistics.median(seconds) * 1e6:.2f}", f"{ratio(seconds, of_few):.2f}"]
        row += [f"{entry['peak_bytes'][action] / 2**20:,.0f}" for action in ("fit", "predict")]
        rows.append(row)
    relative = f"over {few['windows']:,}"
    times = ["fit us/window", relative, "predict us/window", relative]
    return table(["windows", *times, "fit MiB", "predict MiB"], rows)


def latency_table(latency):
    """Write what one row takes."""
    steps = list(next(iter(latency.values()))["microseconds"])
    ratios = {"ratio": "pipeline / bare", "least": "least / bare"}
    rows = [
        [
            name,
            *(f"{entry['microseconds'][step]:.0f}" for step in steps),
            *(f"{entry[ratio]:.2f}" for ratio in ratios),
        ]
        for name, entry in latency.items()
    ]
    least = (
        "\nleast: scikit-learn's scaler and Pipeline, and an estimator that only applies the bare "
        "network, without windows and checks.\n"
    )
    return table(["network", *(f"{step}, us" for step in steps), *ratios.values()], rows) + least


def search_table(search):
    """Write seconds, gains by a second worker, threads and bytes."""
    rows = []
    for name, entry in search.items():
        alone = search[name.split()[0] + " n_jobs=1"]["seconds"]
        gain = ratio(alone, entry["seconds"])
        to_skorch = ratio(entry["seconds"], search[f"skorch {name.split()[1]}"]["seconds"])
        seconds = statistics.median(entry["seconds"])
        threads = ", ".join(f"{n:.0f}" for n in entry["threads"])
        numbers = [f"{seconds:.1f}", f"{gain:.2f}", f"{to_skorch:.2f}"]
        rows.append([name, *numbers, threads, f"{entry['bytes']:,}"])
    head = ["search", "seconds", "gain over n_jobs=1", "time / skorch", "threads", "bytes sent"]
    return table(head, rows)


SECTIONS = {
    "fit": ("Fit, against the loop by hand", fit_table),
    "fit_peers": ("Fit, against other libraries", lambda found: timing_table(found, "sklstm")),
    "predict": ("Predict", lambda found: timing_table(found, "hand_written")),
    "latency": ("One row", latency_table),
    "memory": ("Memory: 1,000,000 rows x 8 features, window 168", memory_table),
    "growth": ("Growth, one thread", growth_table),
    "search": ("Search: 3 windows x 3 layers x 5 folds", search_table),
}


def write(results, folder):
    """Write results.md and the plots of what was measured."""
    packages = ", ".join(f"{k} {v}" for k, v in results["machine"]["packages"].items())
    text = ["# Results\n", f"{results['machine']['processor']}; {packages}.\n"]
    text.append(
        "Written by `make bench`; ratios are medians of ratios within a round. The first fit (or "
        "prediction) of each size, in which some libraries compile, has a column of its own and "
        "does not count in the others.\n"
    )
    for part, (title, write_table) in SECTIONS.items():
        if part in results:
            text += [f"## {title}\n", write_table(results[part])]
    (folder / "results.md").write_text("\n".join(text))
    if "fit" in results and "fit_peers" in results:
        plot_fit(results).savefig(folder / "fit.png", dpi=110)
    if "memory" in results:
        plot_memory(results["memory"]).savefig(folder / "memory.png", dpi=110)


def plot_fit(results):
    """Draw the throughput of every contender, relative to the loop by hand."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    sizes = list(dict.fromkeys(entry["size"] for entry in results["fit"]))
    axes = figure.subplots(1, len(sizes), squeeze=False)[0]
    for ax, size in zip(axes, sizes, strict=True):
        ours, peers = (
            next(e for e in results[part] if e["size"] == size and e["threads"] == 1)["seconds"]
            for part in ("fit", "fit_peers")
        )
        speed = {name: 1 / ratio(s, ours["hand_written"]) for name, s in ours.items()}
        for name, seconds in peers.items():
            speed.setdefault(name, speed["sklstm"] / ratio(seconds, peers["sklstm"]))
        names = sorted(speed, key=speed.get)
        colours = [COLOURS.get(name, "#BBBBBB") for name in names]
        bars = ax.barh([n.replace("_", " ") for n in names], [speed[n] for n in names])
        for bar, colour in zip(bars, colours, strict=True):
            bar.set_color(colour)
        ax.bar_label(bars, fmt="%.2f", padding=2)
        ax.axvline(1, color="black", linewidth=0.8)
        ax.margins(x=0.15)
        ax.set(title=size, xlabel="windows per second / loop by hand")
    figure.suptitle("Fit throughput, one thread")
    return figure


def plot_memory(memory):
    """Draw the peak of every contender's fit over the size of the series."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    ax = figure.subplots()
    peaks = {
        name: peak["fit"]["bytes"] / memory["series"] for name, peak in memory["peaks"].items()
    }
    bars = ax.barh([name.replace("_", " ") for name in peaks], list(peaks.values()))
    for bar, name in zip(bars, peaks, strict=True):
        bar.set_color(COLOURS.get(name, "#BBBBBB"))
    ax.bar_label(bars, fmt="%.1f", padding=2)
    ax.set(xscale="log", xlabel="peak memory of a fit / bytes of the series")
    ax.margins(x=0.2)
    return figure
