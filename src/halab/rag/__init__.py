"""A retrieval service that stays available: documents in, passages with their sources out.

documents.py           a folder becomes passages, each with a key of its own
vectors.py             passages and questions become vectors: lexical, or by an endpoint of yours
local_passages.py      the passages beside the service: how rare a word is, and keyword search without Milvus
passage_collection.py  the passages in Milvus: made, written, counted, searched, switched by an alias
ingest.py              documents into the collection, so that no retry doubles and no crash loses
protections.py         retry budget, circuit breaker, and which protections are on
question_service.py    a question becomes an answer, a degraded answer that says so, or an error
reindexing.py          a second collection, verified, switched to and back while questions are answered
language_model.py      sentences from the passages, if you have a model; never needed
question_page.py       HTTP on loopback: a page, JSON, readiness, metrics
"""
