"""The contract peer: a server of OpenAI's chat API for tests, strict in what it takes, faulty where it is told to be.

    from evals.peer import Peer, answers, bad_replies, calls, refuses, says

`Peer` (server.py) tells how it is used; faults.py names what it can do wrong.
"""

from evals.peer.faults import BAD_REPLIES, HUGE, Bad, bad_replies
from evals.peer.messages import Limits, Picture
from evals.peer.replies import Call, Reply, answers, calls, refuses, says
from evals.peer.seen import Seen
from evals.peer.server import Mode, Peer

__all__ = [
    "BAD_REPLIES",
    "HUGE",
    "Bad",
    "Call",
    "Limits",
    "Mode",
    "Peer",
    "Picture",
    "Reply",
    "Seen",
    "answers",
    "bad_replies",
    "calls",
    "refuses",
    "says",
]
