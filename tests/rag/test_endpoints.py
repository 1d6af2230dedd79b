"""The two plugins, against a small server that speaks as OpenAI's endpoints do."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from halab.errors import RagError
from halab.rag.language_model import LanguageModel
from halab.rag.vectors import EndpointVectors
from support.fake_passages import PASSAGES


@pytest.fixture
def endpoint():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/embeddings":
                rows = [{"index": i, "embedding": [len(t), 1]} for i, t in enumerate(body["input"])]
                answer = {"data": rows[::-1]}
            else:
                answer = {"choices": [{"message": {"content": body["messages"][1]["content"][-20:]}}]}
            status = 401 if self.headers["Authorization"] == "Bearer wrong" else 200
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_vectors_by_an_endpoint_come_in_the_order_of_their_texts(endpoint):
    vectors = EndpointVectors(endpoint, "small")
    assert vectors.of_passages(["a", "bbb"]).tolist() == [[1, 1], [3, 1]]
    assert vectors.dimensions == 2


def test_an_endpoint_that_refuses_is_an_error_that_names_its_settings(endpoint):
    with pytest.raises(RagError, match="HALAB_RAG_EMBEDDINGS_URL"):
        EndpointVectors(endpoint, "small", key="wrong")


def test_a_language_model_writes_sentences_or_nothing(endpoint, monkeypatch):
    assert LanguageModel.from_environment() is None
    monkeypatch.setenv("HALAB_RAG_MODEL_URL", endpoint)
    model = LanguageModel.from_environment()
    assert model.answer("Where is the tea?", PASSAGES).endswith("Where is the tea?")
