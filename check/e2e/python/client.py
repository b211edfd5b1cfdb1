"""Carries out one command for one account of session-python, on a network of our own.

usage: client.py SEED < question.json > answer.json

SEED is the directory's IP:PORT. The question is one JSON object:

    {"command": "new"}                                -> {"words": ..., "id": ...}
    {"command": "id", "words": ...}                   -> {"id": ...}
    {"command": "send", "words": ..., "to": ..., "text": ...} -> {"hash": ..., "timestamp": ...}
    {"command": "poll", "words": ...}                 -> {"messages": [{"from", "text", ...}]}
    {"command": "delete", "words": ..., "hash": ...}  -> {}

The library finds nodes, swarms and mail by itself; only its list of seeds is replaced.
"""

import json
import sys

from session_python import network
from session_python.client import Session
from session_python.polling import Poller


def describe(message):
    return {
        "from": message["from"],
        "text": message["body"],
        "timestamp": message["timestamp"],
        "hash": message["hash"],
        "copy_of_message_to": message["syncTarget"],
    }


def answer(question):
    command = question["command"]
    words = Session.generate_mnemonic() if command == "new" else question["words"]
    with Session() as session:
        session.set_mnemonic(words)
        if command == "new":
            return {"words": words, "id": session.get_session_id()}
        if command == "id":
            return {"id": session.get_session_id()}
        if command == "send":
            sent = session.send_message(question["to"], question["text"])
            return {"hash": sent["messageHash"], "timestamp": sent["timestamp"]}
        if command == "poll":
            found = Poller(session).poll()
            data = [message for message in found if message["type"] == "data"]
            return {"messages": [describe(message) for message in data]}
        if command == "delete":
            own = {"to": session.get_session_id(), "timestamp": 0, "hash": question["hash"]}
            session.delete_messages([own])
            return {}
    raise ValueError(f"no command {command}")


def main():
    network.SEEDS[:] = [{"url": sys.argv[1]}]
    json.dump(answer(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
