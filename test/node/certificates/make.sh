#!/bin/sh
# Makes the certificates of the TLS tests afresh; they are valid for a hundred years and guard nothing.
set -e
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
key authority.key
openssl req -new -x509 -key authority.key -days 36500 -subj "/CN=Dialtone test authority" -out authority.pem
key server.key
openssl req -new -key server.key -subj "/CN=server" |
  openssl x509 -req -CA authority.pem -CAkey authority.key -days 36500 -set_serial 2 -out server.pem -extfile extensions.cnf
rm authority.key
