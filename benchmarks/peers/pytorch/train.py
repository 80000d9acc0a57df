#!/usr/bin/env python3
"""PyTorch beside JCuConv on the same GPU: the layers of a table one by one, and the network mnist-cnn, eager, compiled and as a CUDA graph.

Usage: train.py --layers layers.csv --rows PREFIX [--mnist DIR] [--columns NAMES --facts VALUES] [--quick]
Appends to PREFIX-shapes.csv and PREFIX-mnist.csv in run-gpu's columns; what stands there already is not run again. Ends with status 3
and "not run" without PyTorch or a GPU. fp32 is exact (no TF32), layers are channels-last, cuDNN searches its algorithms.
fp16 trains with a constant loss scale instead of GradScaler, which cannot be captured in a graph.
"""
import argparse
import csv
import gzip
import math
import os
import struct
import sys
import time

LAYER_COLUMNS = "id op name n h w c k r s stride pad_top pad_bottom pad_left pad_right dilation groups p q".split()
SHAPE_COLUMNS = "layer,name,op,shape,pass,precision,engine,algorithm,microseconds,cold_microseconds,gflops,gigabytes_per_second,workspace_bytes,note"
MNIST_COLUMNS = "library,mode,precision,epochs,test_accuracy,seconds,images_per_second,predicted_bytes,measured_bytes"
PRECISIONS = ("fp16", "bf16", "fp32")
MODES = ("eager", "compiled", "graph")
CONVOLUTIONS = {"conv": "conv2d", "gconv": "conv2d", "dwconv": "conv2d", "deconv": "conv-transpose2d"}
BATCH, EPOCHS, RATE, LOSS_SCALE = 128, 3, 0.002, 1024.0
ROUNDS, ROUND_SECONDS = 9, 0.03
CACHES = 256 << 20


class Wrong(Exception):
    """Bad input, told in one line."""


def parse_layers(lines, source):
    """The table as dictionaries; numbers as int."""
    rows = list(csv.reader(lines))
    if not rows or rows[0] != LAYER_COLUMNS:
        raise Wrong(f"{source}: the first line must be {','.join(LAYER_COLUMNS)}")
    layers = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(LAYER_COLUMNS):
            raise Wrong(f"{source}:{number}: {len(row)} values, {len(LAYER_COLUMNS)} are needed")
        layer = dict(zip(LAYER_COLUMNS, row))
        for column in LAYER_COLUMNS:
            if column not in ("op", "name"):
                if not layer[column].isdecimal():
                    raise Wrong(f"{source}:{number}: {column} is '{layer[column]}', a whole number is needed")
                layer[column] = int(layer[column])
        layers.append(layer)
    return layers


def geometry(layer):
    """Padding (rows, columns), output padding of a transposed convolution, and 2 x multiply-adds; None where PyTorch cannot pad like that."""
    if layer["pad_top"] != layer["pad_bottom"] or layer["pad_left"] != layer["pad_right"]:
        return None
    pads = layer["pad_top"], layer["pad_left"]
    extra, pixels = (0, 0), layer["p"] * layer["q"]
    if layer["op"] == "deconv":
        plain = [(layer[i] - 1) * layer["stride"] + layer[r] - 2 * pad for i, r, pad in (("h", "r", pads[0]), ("w", "s", pads[1]))]
        extra, pixels = (layer["p"] - plain[0], layer["q"] - plain[1]), layer["h"] * layer["w"]
    flops = 2 * layer["n"] * pixels * layer["k"] * (layer["c"] // layer["groups"]) * layer["r"] * layer["s"]
    return pads, extra, flops


def one_cycle(step, total, peak=RATE):
    """Up over three tenths of the training, then down, both as a cosine."""
    up = 0.3 * total
    if step < up:
        return peak * (0.04 + 0.96 * (1 - math.cos(math.pi * step / up)) / 2)
    return peak * (1 + math.cos(math.pi * (step - up) / (total - up))) / 2


def read_idx(folder, name, rank):
    """Sizes and bytes of a gzipped IDX file."""
    path = os.path.join(folder, name + ".gz")
    try:
        with gzip.open(path) as file:
            magic, *sizes = struct.unpack(f">{rank + 1}i", file.read(4 * rank + 4))
            data = bytearray(file.read())
    except (OSError, struct.error) as error:
        raise Wrong(f"{path}: {error}") from error
    if magic != 0x800 + rank or len(data) != math.prod(sizes):
        raise Wrong(f"{path}: not the IDX file that it claims to be")
    return sizes, data


class Rows:
    """A CSV file that grows."""

    def __init__(self, path, columns, facts, own):
        self.path, self.facts, self.own = path, facts, own.split(",")
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"{columns},{own}\n")
        with open(path, encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))

    def has(self, **wanted):
        return any(all(row[key] == value for key, value in wanted.items()) for row in self.rows)

    def add(self, **values):
        self.rows.append(values)
        fields = (str(values.get(column, "")).replace(",", " ").replace("\n", " ") for column in self.own)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(",".join([self.facts, *fields]) + "\n")


def require_torch():
    try:
        import torch
    except ImportError:
        print("not run: this Python has no PyTorch (torch)")
        sys.exit(3)
    if not torch.cuda.is_available():
        print("not run: PyTorch finds no CUDA device")
        sys.exit(3)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.benchmark_limit = 0  # all of its algorithms
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch


def type_of(torch, precision):
    return {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[precision]


def microseconds(torch, run):
    """One call as `bench` measures it, medians of rounds: in steady state, many calls of at least ROUND_SECONDS, and behind a write to all caches."""
    caches = torch.empty(CACHES, dtype=torch.uint8, device="cuda")

    def round_of(calls, cold=False):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        if cold:
            caches.zero_()
        begin.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3

    calls = 1
    while round_of(calls) < ROUND_SECONDS:
        calls *= 2
    warm = sorted(round_of(calls) for _ in range(ROUNDS))[ROUNDS // 2] / calls
    return warm * 1e6, sorted(round_of(1, cold=True) for _ in range(ROUNDS))[ROUNDS // 2] * 1e6


def time_layers(torch, layers, rows):
    for layer in layers:
        for precision in PRECISIONS:
            known = geometry(layer)
            if layer["op"] not in CONVOLUTIONS or known is None or rows.has(layer=str(layer["id"]), precision=precision, engine="torch"):
                continue
            pads, extra, flops = known
            transposed = layer["op"] == "deconv"
            k_by_c = (layer["k"], layer["c"] // layer["groups"])
            filters = (layer["c"], layer["k"] // layer["groups"]) if transposed else k_by_c
            values = dict(layer=layer["id"], name=layer["name"], op=CONVOLUTIONS[layer["op"]], precision=precision, engine="torch")
            try:
                make = dict(device="cuda", dtype=type_of(torch, precision))
                x = torch.randn(layer["n"], layer["c"], layer["h"], layer["w"], **make).to(memory_format=torch.channels_last)
                w = torch.randn(*filters, layer["r"], layer["s"], **make).to(memory_format=torch.channels_last)
                arguments = ([layer["stride"]] * 2, list(pads), [layer["dilation"]] * 2, transposed, list(extra), layer["groups"])
                dy = torch.randn_like(torch.ops.aten.convolution(x, w, None, *arguments))

                def backward(dx, dw):
                    return torch.ops.aten.convolution_backward(dy, x, w, None, *arguments, [dx, dw, False])

                passes = {
                    "fprop": lambda: torch.ops.aten.convolution(x, w, None, *arguments),
                    "dgrad": lambda: backward(True, False),
                    "wgrad": lambda: backward(False, True),
                }
                moved = (x.numel() + w.numel() + dy.numel()) * x.element_size()
                for name, run in passes.items():
                    took, cold = microseconds(torch, run)
                    rows.add(**values, **{"pass": name}, algorithm="torch " + torch.__version__, microseconds=f"{took:.4g}",
                             cold_microseconds=f"{cold:.4g}", gflops=f"{flops / took / 1e3:.4g}", gigabytes_per_second=f"{moved / took / 1e3:.4g}")
            except RuntimeError as error:
                rows.add(**values, note="failed: " + str(error).splitlines()[0])
            x = w = dy = None
            torch.cuda.empty_cache()


def train(torch, mode, precision, images, labels, test_images, test_labels, epochs):
    """Accuracy, seconds, images per second in the last epoch, most bytes of tensors."""
    nn, functional = torch.nn, torch.nn.functional
    torch.manual_seed(1)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10)).to("cuda", memory_format=torch.channels_last)
    rate = torch.tensor(RATE, device="cuda")
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, capturable=True)
    forward = torch.compile(network) if mode == "compiled" else network
    scale = LOSS_SCALE if precision == "fp16" else 1.0
    x = torch.empty(BATCH, 1, 28, 28, device="cuda").to(memory_format=torch.channels_last)
    y = torch.empty(BATCH, dtype=torch.long, device="cuda")

    def scores(batch):
        with torch.autocast("cuda", type_of(torch, precision), enabled=precision != "fp32"):
            return forward(batch)

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss = functional.cross_entropy(scores(x).float(), y)
        (loss * scale).backward()
        if scale != 1:
            for parameter in network.parameters():
                parameter.grad.div_(scale)
        optimizer.step()

    def load(order, at):
        index = order[at:at + BATCH]
        x.copy_(images[index].float().div_(255).sub_(0.1307).div_(0.3081))
        y.copy_(labels[index])

    run = step
    if mode == "graph":
        weights = [p.detach().clone() for p in network.parameters()]
        load(torch.arange(BATCH, device="cuda"), 0)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        run = graph.replay
        # Training begins where the other modes begin.
        with torch.no_grad():
            for parameter, start in zip(network.parameters(), weights):
                parameter.copy_(start)
            for state in optimizer.state.values():
                for value in state.values():
                    value.zero_()
    steps = len(images) // BATCH
    began = time.perf_counter()
    for epoch in range(epochs):
        torch.cuda.synchronize()
        epoch_began = time.perf_counter()
        order = torch.randperm(len(images), device="cuda")
        for i in range(steps):
            rate.fill_(one_cycle(epoch * steps + i, epochs * steps))
            load(order, i * BATCH)
            run()
    torch.cuda.synchronize()
    ended = time.perf_counter()
    with torch.no_grad():
        right = 0
        for at in range(0, len(test_images), 1000):
            pixels = test_images[at:at + 1000].float().div_(255).sub_(0.1307).div_(0.3081)
            with torch.autocast("cuda", type_of(torch, precision), enabled=precision != "fp32"):
                right += (network(pixels).argmax(1) == test_labels[at:at + 1000]).sum().item()
    return right / len(test_images), ended - began, steps * BATCH / (ended - epoch_began), torch.cuda.max_memory_allocated() - before


def train_mnist(torch, folder, rows, epochs):
    def load(name):
        sizes, pixels = read_idx(folder, name + "-images-idx3-ubyte", 3)
        images = torch.frombuffer(pixels, dtype=torch.uint8).view(sizes[0], 1, *sizes[1:]).to("cuda")
        _, classes = read_idx(folder, name + "-labels-idx1-ubyte", 1)
        return images, torch.frombuffer(classes, dtype=torch.uint8).long().to("cuda")

    data = *load("train"), *load("t10k")
    for precision in PRECISIONS:
        for mode in MODES:
            library = "PyTorch " + torch.__version__
            if not rows.has(library=library, mode=mode, precision=precision):
                accuracy, seconds, speed, most = train(torch, mode, precision, *data, epochs)
                rows.add(library=library, mode=mode, precision=precision, epochs=epochs, test_accuracy=f"{accuracy:.4f}",
                         seconds=f"{seconds:.2f}", images_per_second=f"{speed:.0f}", measured_bytes=most)
                print(f"mnist-cnn, {precision}, {mode}: {speed:,.0f} images/s, {accuracy:.2%}", flush=True)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Wrong(message + "; see --help")


def arguments(words):
    parser = Parser(description="PyTorch on the layers of a table and on mnist-cnn")
    parser.add_argument("--layers", required=True)
    parser.add_argument("--rows", required=True, metavar="PREFIX")
    parser.add_argument("--mnist", metavar="DIR")
    parser.add_argument("--columns", default="run")
    parser.add_argument("--facts", default=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(words)
    if len(chosen.columns.split(",")) != len(chosen.facts.split(",")):
        raise Wrong("--columns and --facts differ in their number of commas")
    if chosen.mnist and not os.path.isdir(chosen.mnist):
        raise Wrong(f"--mnist {chosen.mnist}: is no folder")
    return chosen


def main(words):
    chosen = arguments(words)
    try:
        with open(chosen.layers, encoding="utf-8") as file:
            layers = parse_layers(file.read().splitlines(), chosen.layers)
    except OSError as error:
        raise Wrong(f"--layers {chosen.layers}: {error.strerror}") from error
    torch = require_torch()
    shapes = Rows(chosen.rows + "-shapes.csv", chosen.columns, chosen.facts, SHAPE_COLUMNS)
    time_layers(torch, layers[:2] if chosen.quick else layers, shapes)
    if chosen.mnist:
        train_mnist(torch, chosen.mnist, Rows(chosen.rows + "-mnist.csv", chosen.columns, chosen.facts, MNIST_COLUMNS), 1 if chosen.quick else EPOCHS)
    print(f"{len(layers)} layers, and mnist-cnn {'in ' + ', '.join(MODES) if chosen.mnist else 'not run: no MNIST_DIR'}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Wrong as error:
        print(f"train.py: {error}", file=sys.stderr)
        sys.exit(2)
