"""Runs a job under wasmtime, without any JavaScript: `wasmtime-host.py <job file>`, the answer as JSON on stdout.

Reads what the runtime reads: the manifest in the custom section "dyadic.manifest", bytes of the inputs at their offsets,
one call of `run`, bytes of the outputs at theirs.
"""
import base64
import hashlib
import importlib.metadata
import json
import sys

import wasmtime

BYTES = {"u8": 1, "s8": 1, "s16": 2, "s32": 4}


def unsigned(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def manifest_of(wasm):
    at = 8
    while at < len(wasm):
        section = wasm[at]
        size, at = unsigned(wasm, at + 1)
        if section == 0:
            length, start = unsigned(wasm, at)
            if wasm[start : start + length] == b"dyadic.manifest":
                return json.loads(wasm[start + length : at + size])
        at += size
    raise SystemExit("no section dyadic.manifest")


def main(path):
    engine = wasmtime.Engine()
    hashes = []
    for case in json.load(open(path))["cases"]:
        wasm = base64.b64decode(case["wasm"])
        manifest = manifest_of(wasm)
        store = wasmtime.Store(engine)
        exports = wasmtime.Instance(store, wasmtime.Module(engine, wasm), []).exports(store)
        memory, run = exports["memory"], exports["run"]
        row = []
        for inputs in case["samples"]:
            given = {entry["name"]: base64.b64decode(entry["base64"]) for entry in inputs}
            for port in manifest["inputs"]:
                memory.write(store, given[port["name"]], port["offset"])
            run(store)
            outputs = b"".join(
                memory.read(store, port["offset"], port["offset"] + port["count"] * BYTES[port["format"]])
                for port in manifest["outputs"]
            )
            row.append(hashlib.sha256(outputs).hexdigest())
        hashes.append(row)
    version = importlib.metadata.version("wasmtime")
    print(json.dumps({"engine": f"wasmtime {version} (Cranelift)", "hashes": hashes}))


main(sys.argv[1])
