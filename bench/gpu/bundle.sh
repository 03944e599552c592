#!/bin/bash
# Packs what device.sh needs on a bare machine of x86-64 into a folder: tools.tar.xz (this Node, Dawn's binding,
# onnxruntime-web's WebGPU build, Debian packages of the Vulkan loader if given) once, program.tar.xz (the package's dist, the
# benches) each time, and an archive for each folder of networks that is newer than it. The Node must be 22.18 or newer. The
# folders are those of prepare.mjs and prepare-large.mjs, named timed, checked and large. What archives are taken away before a
# run is left out of it: networks, or the peer's models of them (peer-<name>.tar.xz).
#
#   bash bench/gpu/bundle.sh <folder> <node> <node_modules with webgpu and onnxruntime-web> [--gl <folder of .deb>] <networks…>
set -eu
mkdir -p "$1"
target=$(realpath "$1")
node=$(realpath "$2")
packages=$(realpath "$3")
shift 3
packaged=
if [ "${1:-}" = --gl ]; then
  packaged=$(realpath "$2")
  shift 2
fi
root=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -f "$target/tools.tar.xz" ]; then
  mkdir -p "$work/tools/ort-web" "$work/tools/gl"
  cp "$node" "$work/tools/node"
  strip "$work/tools/node" 2>/dev/null || true
  cp "$packages/webgpu/dist/linux-x64/dawn.node" "$work/tools/"
  for name in ort.webgpu.bundle.min.mjs ort-wasm-simd-threaded.asyncify.mjs ort-wasm-simd-threaded.asyncify.wasm; do
    cp "$packages/onnxruntime-web/dist/$name" "$work/tools/ort-web/"
  done
  if [ -n "$packaged" ]; then cp "$packaged"/*.deb "$work/tools/gl/"; fi
  tar -C "$work/tools" -cf - . | xz --x86 --lzma2=preset=9e,dict=128MiB >"$target/tools.tar.xz"
fi
mkdir -p "$work/program/bench" "$work/program/node_modules/@noble"
cp -r "$root/dist" "$root/src" "$root/package.json" "$work/program/"
cp -r "$root/bench/gpu" "$work/program/bench/"
cp -rL "$root/node_modules/@noble/hashes" "$work/program/node_modules/@noble/"
for name in zod highs; do cp -rL "$root/node_modules/$name" "$work/program/node_modules/"; done
rm -rf "$work/program/node_modules/zod/src"
find "$work/program" \( -name '*.test.ts' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.map' \) -delete
tar --sort=name -C "$work/program" -cf - . | xz --lzma2=preset=6,dict=64MiB >"$target/program.tar.xz"
# The models of the peer are large: each is an archive of its own.
pack() {
  if [ -z "$(find "$target/$1.tar.xz" -newer "$2/$3" 2>/dev/null)" ]; then
    tar --sort=name -C "$2" --exclude "${4:-}" -cf - "$3" | xz -6 >"$target/$1.tar.xz"
  fi
}
for networks in "$@"; do
  name=$(basename "$networks")
  parent=$(dirname "$(realpath "$networks")")
  pack "$name" "$parent" "$name" '*.onnx'
  for model in "$networks"/*.onnx; do
    if [ -f "$model" ]; then pack "peer-$(basename "$model" .onnx)" "$parent" "$name/$(basename "$model")"; fi
  done
done
cp "$root/bench/gpu/device.sh" "$target/"
ls -l "$target"
