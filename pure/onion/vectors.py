"""Writes spec/vectors/onion.json with an implementation that shares no code with the crate.

    python3 -m venv .venv && .venv/bin/pip install pynacl cryptography
    .venv/bin/python pure/onion/vectors.py > spec/vectors/onion.json

All keys, nonces and texts are fixed, so that the output never changes.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha_encrypt

REQUEST = '{"method":"info","params":{}}'


def fixed(label, length):
    """Bytes that follow from a label."""
    return hashlib.shake_256(b"warren onion vectors " + label.encode()).digest(length)


def public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def layer_key(cipher, secret, peer, client, node):
    private = X25519PrivateKey.from_private_bytes(secret)
    shared = private.exchange(X25519PublicKey.from_public_bytes(peer))
    if cipher == "xchacha20":
        return hashlib.blake2b(shared + client + node, digest_size=32).digest()
    return hmac.new(b"LOKI", shared, hashlib.sha256).digest()


def seal(cipher, key, nonce, plaintext):
    if cipher == "xchacha20":
        return nonce + xchacha_encrypt(plaintext, None, nonce, key)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, None)


def nonce_bytes(cipher):
    return 24 if cipher == "xchacha20" else 12


def frame(blob, text):
    return struct.pack("<I", len(blob)) + blob + text.encode()


def framing():
    cases = [
        ("ciphertext", '{"headers":"","json":true}'),
        ("ciphertext", '{"destination":"ab","ephemeral_key":"cd"}'),
        ("", "{}"),
        ("{}", ""),
    ]
    return [
        {"bytes": frame(blob.encode(), text).hex(), "blob": blob, "json": text}
        for blob, text in cases
    ]


def layer(cipher, plaintext):
    label = f"{cipher} {len(plaintext)}"
    client_secret, node_secret = fixed(label + " client", 32), fixed(label + " node", 32)
    client, node = public(client_secret), public(node_secret)
    key = layer_key(cipher, client_secret, node, client, node)
    assert key == layer_key(cipher, node_secret, client, client, node)
    nonce = fixed(label + " nonce", nonce_bytes(cipher))
    reply_nonce = fixed(label + " reply nonce", nonce_bytes(cipher))
    reply_status, reply_body = 421, {"swarm": "1f", "t": 1_700_000_000_000}
    reply = json.dumps({"body": reply_body, "status": reply_status}, separators=(",", ":"))
    return {
        "cipher": cipher,
        "client_secret": client_secret.hex(),
        "client_public": client.hex(),
        "node_secret": node_secret.hex(),
        "node_public": node.hex(),
        "key": key.hex(),
        "nonce": nonce.hex(),
        "plaintext": plaintext.hex(),
        "sealed": seal(cipher, key, nonce, plaintext).hex(),
        "reply_nonce": reply_nonce.hex(),
        "reply_status": reply_status,
        "reply_body": reply_body,
        "reply_base64": base64.b64encode(seal(cipher, key, reply_nonce, reply.encode())).decode(),
    }


def packet(name, ciphers, final, name_ciphers=True):
    """A packet through len(ciphers) - 1 nodes; `name_ciphers` off leaves `enc_type` out."""
    count = len(ciphers)
    nodes = [
        {"id": fixed(f"{name} id {at}", 32).hex(), "secret": fixed(f"{name} secret {at}", 32)}
        for at in range(count)
    ]
    blob, header = REQUEST.encode(), dict(final)
    for at in reversed(range(count)):
        cipher, node = ciphers[at], public(nodes[at]["secret"])
        ephemeral = fixed(f"{name} ephemeral {at}", 32)
        key = layer_key(cipher, ephemeral, node, public(ephemeral), node)
        nonce = fixed(f"{name} nonce {at}", nonce_bytes(cipher))
        blob = seal(cipher, key, nonce, frame(blob, json.dumps(header)))
        header = {"destination": nodes[at]["id"], "ephemeral_key": public(ephemeral).hex()}
        if name_ciphers:
            header["enc_type"] = cipher
    del header["destination"]
    return {
        "nodes": [{"id": node["id"], "secret": node["secret"].hex()} for node in nodes],
        "packet": frame(blob, json.dumps(header)).hex(),
        "request": REQUEST,
        "json": final.get("json", False),
        "base64": final.get("base64", True),
    }


def server_packet(cipher):
    """What the last node posts to a server: the opened layer, with a v4 request sealed in it."""
    label = f"server {cipher}"
    secret, ephemeral = fixed(label + " secret", 32), fixed(label + " ephemeral", 32)
    server = public(secret)
    key = layer_key(cipher, ephemeral, server, public(ephemeral), server)
    head = json.dumps({"method": "POST", "endpoint": "/file", "headers": {"X-FS-TTL": "60"}})
    request = f"l{len(head)}:{head}7:contente".encode()
    header = {
        "host": "files.example",
        "target": "/oxen/v4/lsrpc",
        "ephemeral_key": public(ephemeral).hex(),
        "enc_type": cipher,
    }
    head = '{"code": 200, "headers": {"content-type": "application/json"}}'
    answer = f"l{len(head)}:{head}2:{{}}e".encode()
    blob = seal(cipher, key, fixed(label + " nonce", nonce_bytes(cipher)), request)
    return {
        "secret": secret.hex(),
        "body": frame(blob, json.dumps(header)).hex(),
        "method": "POST",
        "endpoint": "/file",
        "content": b"content".hex(),
        "answer_nonce": fixed(label + " answer nonce", nonce_bytes(cipher)).hex(),
        "answer": answer.decode(),
        "sealed_answer": seal(
            cipher, key, fixed(label + " answer nonce", nonce_bytes(cipher)), answer
        ).hex(),
    }


def main():
    ours = {"headers": "", "json": True, "base64": False}
    desktop = {"body": None, "headers": {"Content-Type": "application/json"}}
    json.dump(
        {
            "about": "Made by pure/onion/vectors.py (PyNaCl, cryptography, hashlib); hex unless named otherwise.",
            "framing": framing(),
            "layers": [
                layer(cipher, plaintext)
                for cipher in ("xchacha20", "aes-gcm")
                for plaintext in (b"", b"ciphertext of the next layer")
            ],
            "packets": [
                packet("xchacha20", ["xchacha20"] * 4, ours),
                packet("mixed", ["aes-gcm", "xchacha20", "aes-gcm", "xchacha20"], ours),
                packet("default", ["aes-gcm"] * 4, desktop, name_ciphers=False),
            ],
            "servers": [server_packet(cipher) for cipher in ("xchacha20", "aes-gcm")],
        },
        sys.stdout,
        indent=1,
    )
    print()


main()
