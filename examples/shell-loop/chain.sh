#!/bin/sh
# A chain of checksums: each link is made of the one before. It knows nothing of pauses, and needs not to.
#
#     gramwatt run --within 12h --duration 2h --pausable -- sh chain.sh
#
# usage: chain.sh [LINKS]
set -eu
links=${1:-100}
link=first

i=0
while [ "$i" -lt "$links" ]; do
    i=$((i + 1))
    link=$({ echo "$link"; head -c 30000000 /dev/zero; } | sha256sum | cut -c 1-64)
    echo "link $i: $link"
done
