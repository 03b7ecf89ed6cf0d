#!/bin/sh
# Two working servers with one location store, and a fallback server on its own: what a phone with
# primary, secondary and fallback server expects. Ctrl-C ends all three.
set -e
here=$(dirname "$0")
store=${STORE:-/tmp/dialtone-pair}
serve() { npx dialtone serve --domain example.com --users "$here/users.yaml" "$@" & }

serve --name primary --listen udp:127.0.0.13:5060 --listen tcp:127.0.0.13:5060 --store "$store"
serve --name secondary --listen udp:127.0.0.14:5060 --listen tcp:127.0.0.14:5060 --store "$store"
serve --name fallback --role fallback --listen udp:127.0.0.15:5060 --listen tcp:127.0.0.15:5060
wait
