"""Writes spec/vectors/group-keys.json and group-message.json with an implementation that shares no
code with the crates.

    python3 -m venv .venv && .venv/bin/pip install pynacl zstandard
    .venv/bin/python pure/config/vectors.py spec/vectors

All keys, nonces and texts are fixed, so that the output never changes. The group's, the admin's and
the members' seeds are those of libsession-util's tests/test_group_keys.cpp.
"""

import hashlib
import json
import pathlib
import sys

import nacl.bindings as sodium
import nacl.utils
import zstandard

GROUP_SEED = "0123456789abcdeffedcba98765432100123456789abcdeffedcba9876543210"
ADMIN_SEED = "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210"
MEMBER_SEEDS = [
    "000111222333444555666777888999aaabbbcccdddeeefff0123456789abcdef",
    "00011122435111155566677788811263446552465222efff0123456789abcdef",
    "00011129824754185548239498168169316979583253efff0123456789abcdef",
    "0000111122223333444455556666777788889999aaaabbbbccccddddeeeeffff",
    "3333333333333333333333333333333333333333333333333333333333333333",
    "4444444444444444444444444444444444444444444444444444444444444444",
]
NONCE = bytes.fromhex("32ab4bb45d6df5cc14e1c330fb1a8b68ea3826a8c2213a49")
TIMES = [1_700_000_000_000, 1_700_000_100_000]
MULTIPLE = 45
TEXT = b"hello to all my friends sitting in the tomato sauce" * 32


class Keys:
    def __init__(self, seed):
        self.seed = bytes.fromhex(seed)
        self.public, self.secret = sodium.crypto_sign_seed_keypair(self.seed)
        self.x_public = sodium.crypto_sign_ed25519_pk_to_curve25519(self.public)
        self.x_secret = sodium.crypto_sign_ed25519_sk_to_curve25519(self.secret)
        self.id = "05" + self.x_public.hex()

    def sign(self, text):
        return sodium.crypto_sign(text, self.secret)[:64]


def blake(size, data, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:" % len(value) + value
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"


def encrypt(key, nonce, text):
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(text, None, nonce, key)


def copy_for(group, member, domain, nonce, text):
    shared = sodium.crypto_scalarmult(group.x_secret, member.x_public)
    return encrypt(blake(32, shared + group.x_public + member.x_public, domain), nonce, text)


def signed(group, message):
    head = bencode(message)[:-1]
    return head + b"1:~64:" + group.sign(head) + b"e"


def rekey(group, members, generation):
    members = sorted(members, key=lambda member: member.id)
    ids = "".join(member.id for member in members).encode()
    shared = blake(32, group.seed, b"SessionGroupKeySeed")
    wide = blake(56, ids + str(generation).encode() + shared, b"SessionGroupKeyGen")
    key, nonce = wide[:32], wide[32:]
    copies = [copy_for(group, m, b"SessionGroupKeyMemberKey", nonce, key) for m in members]
    seed = blake(32, wide + group.secret, b"SessionGroupJunkMembers")
    missing = -len(copies) % MULTIPLE
    junk = nacl.utils.randombytes_deterministic(48 * missing, seed)
    copies += [junk[48 * n : 48 * (n + 1)] for n in range(missing)]
    admins = encrypt(blake(32, group.seed, b"SessionGroupKeyAdminKey"), nonce, key)
    return key, signed(group, {"#": nonce, "G": generation, "K": admins, "k": copies})


def supplement(group, members, keys):
    ids = "".join(member.id for member in members).encode()
    shared = blake(32, group.seed, b"SessionGroupKeySeed")
    nonce = blake(24, ids + bencode(keys) + shared, b"SessionGroupKeyGen")
    domain = b"SessionGroupKeyMemberKey"
    copies = [copy_for(group, m, domain, nonce, bencode(keys)) for m in members]
    return signed(group, {"#": nonce, "+": copies, "G": keys[-1]["g"]})


def kicked(group, members, generation):
    texts = [(m, m.x_public + str(generation).encode()) for m in members]
    copies = [copy_for(group, m, b"SessionGroupKickedMessage", NONCE, t) for m, t in texts]
    return bencode({"#": NONCE, "e": copies})


def group_keys(group, admin, members):
    key_0, rekey_0 = rekey(group, [admin], 0)
    key_1, rekey_1 = rekey(group, [admin] + members[:4], 1)
    keys = [{"g": g, "k": k, "t": t} for g, (k, t) in enumerate(zip([key_0, key_1], TIMES))]
    dump = {"A": [[0, "keyhash0"], [1, "keyhash1"]], "L": keys}
    return {
        "about": "Made by pure/config/vectors.py (PyNaCl, hashlib); hex.",
        "group_seed": GROUP_SEED,
        "admin_seed": ADMIN_SEED,
        "member_seeds": MEMBER_SEEDS,
        "member_ids": [member.id for member in members],
        "key_0": key_0.hex(),
        "rekey_0": {"members": "admin", "timestamp": TIMES[0], "message": rekey_0.hex()},
        "key_1": key_1.hex(),
        "rekey_1": {
            "members": "admin, members 0 to 3",
            "timestamp": TIMES[1],
            "message": rekey_1.hex(),
        },
        "supplement": {
            "members": "members 4 and 5",
            "message": supplement(group, members[4:], keys).hex(),
        },
        "kicked": {
            "members": "members 0 and 1",
            "nonce": NONCE.hex(),
            "generation": 1,
            "message": kicked(group, members[:2], 1).hex(),
        },
        "dump": bencode(dump).hex(),
    }


def sealed(group, sender, key, name, plaintext):
    packed = zstandard.ZstdCompressor(level=1).compress(plaintext)
    data = packed if name == "z" else plaintext
    signature = sender.sign(data + group.public)
    form = bencode({"": 1, "a": sender.public, name: data, "s": signature})
    form += bytes(-(len(form) + 40) % 256)
    return NONCE + encrypt(key, NONCE, form)


def group_message(group, admin):
    key, _ = rekey(group, [admin], 0)
    # Envelope { type 7, timestamp, device 1, content "hello" }
    envelope = bytes.fromhex("0807" "2880d095ffbc31" "3801" "4205") + b"hello"
    return {
        "about": "Made by pure/config/vectors.py (PyNaCl, hashlib, zstandard); hex unless text.",
        "group_id": "03" + group.public.hex(),
        "key": key.hex(),
        "sender_id": admin.id,
        "sender_seed": ADMIN_SEED,
        "nonce": NONCE.hex(),
        "content": b"hello".hex(),
        "timestamp": TIMES[0],
        "envelope": envelope.hex(),
        "envelope_sealed": sealed(group, admin, key, "d", envelope).hex(),
        "text": TEXT.decode(),
        "text_sealed": sealed(group, admin, key, "z", TEXT).hex(),
    }


def main(folder):
    group, admin = Keys(GROUP_SEED), Keys(ADMIN_SEED)
    files = {
        "group-keys.json": group_keys(group, admin, [Keys(seed) for seed in MEMBER_SEEDS]),
        "group-message.json": group_message(group, admin),
    }
    for name, vectors in files.items():
        (pathlib.Path(folder) / name).write_text(json.dumps(vectors, indent=1) + "\n")


main(sys.argv[1])
