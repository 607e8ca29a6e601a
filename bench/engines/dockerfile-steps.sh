#!/bin/sh
# Runs the steps of the Dockerfile without Docker: each stage in a root of its own, this machine's system with an empty
# layer above it (overlayfs, chroot), as the base image is. Then runs the command of the last stage.
#
#   bench/engines/dockerfile-steps.sh [COMMAND…]      needs root, and Node of the base image's version
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || set -- lab list
if [ "${IN_NAMESPACE:-}" != 1 ]; then IN_NAMESPACE=1 exec unshare --mount "$0" "$@"; fi

base=$(mktemp -d /var/tmp/dropframe-image-XXXXXX)
trap 'for root in "$base"/*/root; do umount "$root/proc" "$root/dev" "$root" 2>/dev/null || true; done; rm -rf "$base"' EXIT
trap 'exit 130' INT TERM

# The context, as `docker build` sends it: the files that git tracks, with changes. .dockerignore leaves out no others.
mkdir "$base/context"
(cd "$top" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$base/context" 2>/dev/null) || true

stage=
directory=/
begin() {
  stage=$1
  directory=/
  mkdir -p "$base/$stage/layer" "$base/$stage/work" "$base/$stage/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$base/$stage/layer,workdir=$base/$stage/work" "$base/$stage/root"
  mount --bind /dev "$base/$stage/root/dev"
  mount -t proc proc "$base/$stage/root/proc"
  echo "== stage $stage"
}
inside() {
  chroot "$base/$stage/root" env -i HOME=/root ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    sh -ec "cd '$directory' && $1"
}

count=0
entry=
while IFS= read -r line; do
  case $line in
    '' | '#'*) continue ;;
    'FROM '*)
      count=$((count + 1))
      case $line in *' AS '*) begin "${line##* AS }" ;; *) begin "$count" ;; esac
      continue
      ;;
  esac
  echo "-- $line"
  case $line in
    'WORKDIR '*)
      directory=${line#WORKDIR }
      mkdir -p "$base/$stage/root$directory"
      ;;
    'COPY . .') cp -a "$base/context/." "$base/$stage/root$directory" ;;
    'COPY --from='*)
      rest=${line#COPY --from=}
      from=${rest%% *}
      paths=${rest#* }
      cp -a "$base/$from/root${paths% *}" "$base/$stage/root${paths#* }"
      ;;
    'RUN '*) inside "${line#RUN }" ;;
    'ENTRYPOINT ["'*) entry=$(echo "$line" | sed 's/^ENTRYPOINT \["//; s/"\]$//') ;;
    *)
      echo "unknown step: $line" >&2
      exit 1
      ;;
  esac
done < "$top/Dockerfile"
echo "== $entry $*"
inside "$entry $*"
