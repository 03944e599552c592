#!/bin/bash
# The GPU benches on a machine that has a GPU and nothing else: unpacks what bundle.sh packed beside this script, finds Vulkan,
# runs main.mjs with the networks that came along.
#
#   bash device.sh <folder for results> [--parts gemm,networks,…] [--quick]
#
# Leaves gpu.json (results) and gpu.log in the folder; LIMIT is the most seconds, 540 where it is not set. Needs python3, and root
# where the machine has no Vulkan loader.
set -u
bundle=$(realpath "$(dirname "$0")")
results=$(realpath "$1")
work=$(mktemp -d)
for archive in "$bundle"/*.tar.xz; do
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' "$archive" "$work" &
done
wait
cd "$work" || exit 1
if ! ldconfig -p | grep -q libvulkan; then
  for package in gl/*.deb; do dpkg -x "$package" /; done
  ldconfig
fi
driver=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -f "$driver" ]; then
  export VK_DRIVER_FILES="$driver" __EGL_VENDOR_LIBRARY_FILENAMES=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
fi
export DAWN_NODE="$work/dawn.node"
if [ -d "$work/ort-web" ]; then export ORT_WEB="$work/ort-web"; fi
nvidia-smi -L || true
networks=()
for folder in timed checked large; do if [ -d "$folder" ]; then networks+=("--$folder" "$folder"); fi; done
# Compilers warn about a builtin that browsers still need: only results and parts go to the console.
timeout -k 10 "${LIMIT:-540}" ./node --max-old-space-size=16384 bench/gpu/main.mjs "$results/gpu.json" "${networks[@]}" "${@:2}" \
  >"$work/gpu.log" 2>&1
code=$?
grep -vE "deprecated builtin|\\^\\^\\^|subgroupMatrix(Load|Store)|^$" "$work/gpu.log" >"$results/gpu.log"
grep -E '^(\{|part )' "$results/gpu.log" | cut -c1-700
exit "$code"
