#!/bin/bash
# Packs what device.sh needs on a bare machine of x86-64 into a folder: tools.tar.xz (this Node, Dawn's binding,
# onnxruntime-web's WebGPU build, Debian packages of the Vulkan loader if given) once, and program.tar.xz (the package's dist,
# the benches, the networks of prepare.mjs) each time. The Node must be 22 or newer for onnxruntime-web.
#
#   bash bench/gpu/bundle.sh <folder> <node> <node_modules with webgpu and onnxruntime-web> <folder of prepare.mjs> [<folder of .deb>]
set -eu
mkdir -p "$1"
target=$(realpath "$1")
node=$(realpath "$2")
packages=$(realpath "$3")
networks=$(realpath "$4")
packaged=$([ $# -gt 4 ] && realpath "$5" || true)
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
  tar -C "$work/tools" -cf - . | xz -3 -T2 >"$target/tools.tar.xz"
fi
mkdir -p "$work/program/bench" "$work/program/node_modules/@noble"
cp -r "$root/dist" "$root/src" "$root/package.json" "$work/program/"
cp -r "$root/bench/gpu" "$work/program/bench/"
cp -r "$networks" "$work/program/networks"
cp -rL "$root/node_modules/@noble/hashes" "$work/program/node_modules/@noble/"
tar -C "$work/program" -cf - . | xz -6 -T2 >"$target/program.tar.xz"
cp "$root/bench/gpu/device.sh" "$target/"
ls -l "$target"
