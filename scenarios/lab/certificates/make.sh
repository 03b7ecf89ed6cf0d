#!/bin/sh
# Makes the certificates of the lab's servers afresh: valid for a hundred years, but for the expired one. They guard nothing.
set -e
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
key authority.key
openssl req -new -x509 -key authority.key -days 36500 -subj "/CN=Dialtone lab authority" -out authority.pem
key server.key
serial=2
# One certificate for the key of all, with the extensions of that section: NAME, then the days it is valid.
certificate() {
  openssl req -new -key server.key -subj "/CN=$1" |
    openssl x509 -req -CA authority.pem -CAkey authority.key -days "$2" -set_serial "$serial" -out "$1.pem" -extfile extensions.cnf -extensions "$1"
  serial=$((serial + 1))
}
certificate good 36500
certificate expired -1
certificate stranger 36500
rm authority.key
