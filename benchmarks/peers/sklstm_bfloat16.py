"""sklstm itself, computing in bfloat16."""

from peers import sklstm


class Contender(sklstm.Contender):
    """The same with half the bits."""

    options = {"precision": "bfloat16"}
