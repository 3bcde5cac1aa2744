"""A model's directory, whole, in a few hundred bytes."""

import json
import struct
from pathlib import Path


def shard(path: Path, tensor: str, size: int = 16) -> None:
    """Write a file of weights as safetensors does: length of the header, header, data."""
    header = json.dumps(
        {tensor: {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"x" * size)


def whole_model(folder: Path, shards: int = 2) -> None:
    """Write configuration, tokenizer, index and every shard that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "gemma"}')
    (folder / "tokenizer.json").write_text("{}")
    names = {
        f"t{number}": f"model-{number:05}-of-{shards:05}.safetensors"
        for number in range(1, shards + 1)
    }
    for tensor, name in names.items():
        shard(folder / name, tensor)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
