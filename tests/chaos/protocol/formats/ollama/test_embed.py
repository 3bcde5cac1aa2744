"""Ollama's embeddings."""

import json
import math

from chaos.protocol.formats.ollama.embed import OllamaEmbeddings
from chaos.protocol.reading import Defect
from tests.fakes.recorded_requests import request_bodies
from tests.fakes.streams import defects

FORMAT = OllamaEmbeddings()


def read(body):
    """Read *body* as a reply of status 200."""
    return FORMAT.read_reply(200, json.dumps(body).encode())


def test_litellms_own_request_is_read():
    """One text comes as a list of one."""
    (body,) = request_bodies("ollama/nomic-embed-text emb str")
    assert FORMAT.read_ask(body).inputs == ("hi nonce",)
    assert FORMAT.read_ask({"input": "hi"}).inputs == ("hi",)


def test_vectors_are_read_in_their_order():
    """The reply names its model, and what it counted."""
    reading = read({"model": "m", "embeddings": [[1, 2], [3, 4]], "prompt_eval_count": 4})
    assert reading.vectors == ((1.0, 2.0), (3.0, 4.0))
    assert (reading.models, reading.defects) == (("m",), ())
    assert reading.usage is not None
    assert reading.usage.input_tokens == 4


def test_broken_replies_are_named():
    """No vectors, something else than vectors, and an error in a 200."""
    assert Defect.NO_OUTPUT_FIELD in defects(read({"model": "m"}))
    assert Defect.WRONG_SHAPE in defects(read({"model": "m", "embeddings": ["no"]}))
    assert math.isnan(read({"model": "m", "embeddings": [["no"]]}).vectors[0][0])
    told = read({"error": "no"}).error
    assert told is not None
    assert told.in_band
