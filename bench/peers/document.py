"""docs/performance.md and its picture from the results of run.py.

    document.py RESULTS.json
"""

import importlib.metadata
import json
import pathlib
import platform
import sys

PACKAGES = ["tensorflow-cpu", "torch", "jax", "onnxruntime", "openvino"]
TITLES = {
    "mlp/100": "MLP 784-256-256-256-10, batch 100", "mlp/1": "the same, batch 1",
    "mlp_train/100": "MLP, training step, batch 100", "cnn/32": "CNN, batch 32",
    "cnn_train/32": "CNN, training step, batch 32", "add": "one op on 4 floats",
    "add_grad": "the same, recorded, with its gradient",
}
NAMES = {"weir": "Weir", "tensorflow": "TensorFlow", "tensorflow_c": "TensorFlow (C)",
         "torch": "PyTorch", "libtorch": "LibTorch (C++)", "jax": "JAX", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
PICTURE = ["mlp/100", "mlp/1", "mlp_train/100", "cnn/32", "cnn_train/32",
           "function/tanh_gelu/1024"]
HEAD = """# Performance

Weir and other frameworks on the same models, with the same weights and inputs, by turns in one run:
`./dev bench --peers` made this page. Every framework's results were checked against Weir's first.
How noise is handled: [bench/README.md](../bench/README.md).

![Time of one call in each framework](images/performance.svg)

Times are microseconds of one call (median of the lowest quartile of the rounds); `x` is the ratio
to the floor: the arithmetic of the call at the multiply-add peak, measured next to each sample.
Frameworks are called from Python, as their users do, if their name does not say C or C++; Weir from C++.
"""


def versions():
    names = {d.metadata["Name"].replace("_", "-") for d in importlib.metadata.distributions()}
    found = {p: importlib.metadata.version(p) for p in PACKAGES if p in names}
    with open("/proc/cpuinfo") as f:
        cpu = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), "")
    return {"cpu": cpu, "python": platform.python_version(), **found}


def title(case):
    kind, *rest = case.split("/")
    if kind == "function":
        return f"{rest[0].replace('_', '-')}, {rest[1]} x {rest[1]}"
    return TITLES.get(case, case)


def mode_title(key):
    framework, mode = key.split()
    return f"{NAMES[framework]} {mode}"


def microseconds(value):
    digits = 3 if value["us"] < 1 else 2 if value["us"] < 10 else 1 if value["us"] < 100 else 0
    return f"{value['us']:.{digits}f}"


def cell(value):
    text = microseconds(value)
    if value["floor"]:
        text += f" ({value['floor']:.2f} x)"
    return text + (" ?" if value["noisy"] > value["rounds"] / 2 else "")


def table(results, threads):
    cases = results["threads"][threads]
    keys = []
    for values in cases.values():
        keys += [k for k in values if k not in keys]
    order = list(NAMES)
    keys.sort(key=lambda k: (order.index(k.split()[0]), k))
    lines = ["| case | " + " | ".join(map(mode_title, keys)) + " |", "|---" * (len(keys) + 1) + "|"]
    for case, values in cases.items():
        best = min(v["us"] for v in values.values())
        row = []
        for k in keys:
            text = cell(values[k]) if k in values else ""
            row.append(f"**{text}**" if text and values[k]["us"] == best else text)
        lines.append(f"| {title(case)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def tables(results):
    parts = []
    for threads in results["threads"]:
        peak = results["peak_gflops"][threads]
        parts.append(f"## {threads} thread{'s' if threads != '1' else ''} "
                     f"(peak {peak:.0f} Gflop/s)\n\n{table(results, threads)}\n")
    return "\n".join(parts)


def picture(results, path):
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.hashsalt": "weir", "svg.fonttype": "none"}
    import matplotlib.pyplot as plt
    threads = list(results["threads"])
    figure, axes = plt.subplots(len(PICTURE), len(threads), squeeze=False,
                                figsize=(6 * len(threads), 2.2 * len(PICTURE)))
    for column, t in enumerate(threads):
        for row, case in enumerate(PICTURE):
            draw(axes[row][column], results["threads"][t].get(case, {}),
                 f"{title(case)}, {t} thread{'s' if t != '1' else ''}")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def draw(axes, values, heading):
    if not values:
        axes.set_visible(False)
        return
    keys = sorted(values, key=lambda k: -values[k]["us"])
    bars = axes.barh([mode_title(k) for k in keys], [values[k]["us"] for k in keys],
                     color=["#c0392b" if k.startswith("weir") else "#95a5a6" for k in keys])
    axes.bar_label(bars, [cell(values[k]) for k in keys], fontsize=7, padding=2)
    axes.set_xscale("log")
    axes.margins(x=0.25)
    axes.set_title(heading, fontsize=9)
    axes.set_xlabel("microseconds", fontsize=7)
    axes.tick_params(labelsize=7, which="both")


def short_table(results):
    """Weir and the best of the others, for the README."""
    lines = ["| microseconds, 1 thread / 2 threads | eager | graph | best of the others |", "|---|---|---|---|"]
    for case in [*PICTURE, "add", "add_grad"]:
        cells = [[], [], []]
        for values in (t.get(case, {}) for t in results["threads"].values()):
            others = {k: v for k, v in values.items() if not k.startswith("weir")}
            best = min(others, key=lambda k: others[k]["us"], default=None)
            for place, key in zip(cells, ("weir eager", "weir graph", best)):
                if key in values:
                    name = f" {mode_title(key)}" if key == best else ""
                    place.append(microseconds(values[key]) + name)
        if any(cells):
            lines.append(f"| {title(case)} | " + " | ".join(" / ".join(c) for c in cells) + " |")
    return "\n".join(lines)


def write_readme(results, path):
    """Replaces what stands between the markers."""
    begin, end = "<!-- performance -->", "<!-- end of performance -->"
    text = path.read_text()
    if begin in text:
        head, rest = text.split(begin)
        path.write_text(f"{head}{begin}\n{short_table(results)}\n{end}{rest.split(end)[1]}")


def write(results, docs):
    (docs / "images").mkdir(parents=True, exist_ok=True)
    picture(results, docs / "images/performance.svg")
    machine = ", ".join(f"{k} {v}" for k, v in results["versions"].items())
    page = [HEAD, f"Machine and versions: {machine}; {results['rounds']} rounds.\n",
            tables(results)]
    if results["problems"]:
        page.append("## Left out\n\n" + "\n".join(f"- {p}" for p in results["problems"]) + "\n")
    page.append("`?`: more than half of the samples were disturbed.\n")
    (docs / "performance.md").write_text("\n".join(page))
    write_readme(results, docs.parent / "README.md")


if __name__ == "__main__":
    write(json.loads(pathlib.Path(sys.argv[1]).read_text()),
          pathlib.Path(__file__).resolve().parent.parent.parent / "docs")
