"""The commands of the retrieval service: rag ingest, ask, serve, reindex."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from halab.errors import ClusterNotFound, RagError
from halab.translation import gettext

if TYPE_CHECKING:
    from halab.rag.ingest import Progress as OnProgress
    from halab.rag.local_passages import LocalPassages
    from halab.rag.passage_collection import Address, PassageCollection
    from halab.rag.question_service import Answer, QuestionService
    from halab.rag.vectors import Vectors

__all__ = ["register"]

console = Console()
rag = typer.Typer(
    help="Ask your own documents, through a client that stays available when the cluster does not.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Option("--name", "-n", help="Which running cluster.")]
Uri = Annotated[str, typer.Option(help="Another Milvus instead, such as http://127.0.0.1:19530.")]
Standby = Annotated[str, typer.Option(help="A second running cluster, asked if the first does not answer.")]
Replicas = Annotated[int, typer.Option(min=1, help="How many copies of the passages are loaded.")]
Folder = Annotated[Path | None, typer.Argument(help="Markdown, text and PDF files; the cards if not given.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the `halab` command."""
    app.add_typer(rag, name="rag")


@rag.command()
def ingest(
    folder: Folder = None, name: Name = "course", uri: Uri = "", standby: Standby = "", replicas: Replicas = 1
) -> None:
    """Take the documents of a folder in. May be cut off and begun again; nothing is doubled.

    What the folder no longer holds is removed. A folder is known by its name: another one of that name takes
    its place.
    """
    from halab.rag.ingest import ingest as take_in

    for home in filter(None, (uri or _uri(name), standby and _uri(standby))):
        local = _local_file()
        with _bar(gettext("Passages to {home}").format(home=home)) as on_progress:
            collection = _collection(home, replicas)
            done = take_in(
                _folder(folder), collection, _vectors(_load(local)), local, on_progress=on_progress
            )
        console.print(escape(repr(done)), highlight=False)


@rag.command()
def ask(
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    name: Name = "course",
    uri: Uri = "",
    standby: Standby = "",
) -> None:
    """Answer one question from the documents, with its sources; where no cluster is up, by keywords."""
    from halab.rag.language_model import LanguageModel

    addresses = _addresses(name, uri, standby)
    if addresses:
        with _service(addresses) as service:
            answer = service.ask(question)
    else:
        answer = _by_keywords(
            question, gettext("no cluster called {name} is up; start one with: halab up").format(name=name)
        )
    if answer.degraded:
        console.print(
            gettext("[bold]Degraded ({degraded}):[/] {why}\n").format(
                degraded=answer.degraded, why=escape(answer.why)
            ),
            highlight=False,
        )
    model = LanguageModel.from_environment()
    if model and (sentences := model.answer(question, answer.passages)):
        console.print(f"{escape(sentences)}\n", highlight=False)
    for passage in answer.passages:
        console.print(f"{escape(repr(passage))}\n", highlight=False)


@rag.command()
def serve(
    name: Name = "course",
    uri: Uri = "",
    standby: Standby = "",
    port: Annotated[int, typer.Option(help="On loopback.")] = 8012,
) -> None:
    """Answer questions over HTTP on loopback: a page, JSON, readiness and metrics. Until Ctrl-C."""
    from halab.rag.language_model import LanguageModel
    from halab.rag.question_page import serve_questions

    parent = os.getppid()
    addresses = _addresses(name, uri, standby)
    if not addresses:
        _uri(name)  # says that it is not up
    with _service(addresses) as service:
        try:
            with serve_questions(service, port, LanguageModel.from_environment()) as address:
                console.print(
                    gettext("{address} until Ctrl-C; for programs {address}ask?q=…, /ready, /metrics").format(
                        address=address
                    ),
                    highlight=False,
                )
                with suppress(KeyboardInterrupt):
                    while os.getppid() == parent:
                        time.sleep(1.0)
        except OSError as error:
            raise typer.BadParameter(
                gettext("{port} is not to be had: {strerror}").format(port=port, strerror=error.strerror),
                param_hint="--port",
            ) from None


@rag.command()
def reindex(
    name: Name = "course",
    uri: Uri = "",
    replicas: Replicas = 1,
    back: Annotated[bool, typer.Option("--back", help="Switch to the index that answered before.")] = False,
) -> None:
    """Fill a second index, verify it with known questions, and switch to it while questions are answered.

    It holds every passage that was taken in. The first index stays, for the way back.
    """
    from halab.rag.reindexing import KnownQuestion, switch_back
    from halab.rag.reindexing import reindex as index_anew

    local = _load(_local_file())
    collection, vectors, passages = _collection(uri or _uri(name), replicas), _vectors(local), list(local)
    known = [KnownQuestion.about(passage) for passage in passages[:: len(passages) // 20 or 1]]
    if back:
        side = switch_back(collection, vectors, known)
    else:
        with _bar("Passages") as on_progress:
            side = index_anew(passages, collection, vectors, known, on_progress=on_progress)
    console.print(
        gettext("{side} answers now. Back with: halab rag reindex --back").format(side=side), highlight=False
    )


def _uri(name: str) -> str:
    from halab.cluster import attach_cluster

    return attach_cluster(name).uri


def _folder(folder: Path | None) -> Path:
    from halab.folders import course_root

    return folder or course_root() / "cards"


def _local_file() -> Path:
    from halab.folders import home_folder

    return home_folder() / "rag" / "passages.jsonl"


def _load(local: Path) -> LocalPassages:
    from halab.rag.local_passages import LocalPassages

    return LocalPassages.load(local)


def _collection(uri: str, replicas: int = 1) -> PassageCollection:
    from halab.rag.passage_collection import PassageCollection

    return PassageCollection(uri, replicas=replicas)


def _vectors(local: LocalPassages) -> Vectors:
    """Lexical ones, or those of the endpoint that the environment names."""
    from halab.rag.vectors import EndpointVectors, LexicalVectors

    url, model, key = (os.environ.get(f"HALAB_RAG_EMBEDDINGS_{part}", "") for part in ("URL", "MODEL", "KEY"))
    return EndpointVectors(url, model, key) if url else LexicalVectors(local.rarity)


def _addresses(name: str, uri: str, standby: str) -> list[Address]:
    """Every proxy of a cluster, then those of the standby; of a cluster that is not up, none."""
    from halab.rag.passage_collection import Address

    addresses = [Address(proxy, "halab_rag") for proxy in ([uri] if uri else _proxies(name))]
    if standby:
        addresses += [Address(proxy, "halab_rag", standby=True) for proxy in _proxies(standby)]
    return addresses


def _proxies(name: str) -> list[str]:
    from halab.cluster import attach_cluster

    try:
        parts = attach_cluster(name).components()
    except ClusterNotFound:
        return []
    return [part.address for part in parts if part.role == "proxy" and part.address]


@contextmanager
def _service(addresses: list[Address]) -> Iterator[QuestionService]:
    from halab.rag.question_service import QuestionService

    local = _load(_local_file())
    service = QuestionService(addresses, _vectors(local), local)
    try:
        yield service
    finally:
        service.close()


def _by_keywords(question: str, why: str) -> Answer:
    """What keywords find in what was taken in; in the cards if nothing was. Raises RagError for nothing."""
    from halab.rag.documents import read_documents
    from halab.rag.local_passages import LocalPassages
    from halab.rag.question_service import Answer

    passages = _load(_local_file())
    if not len(passages):
        passages = LocalPassages(read_documents(_folder(None)).passages)
        why = gettext("nothing was taken in, so these are the course's cards; {why}").format(why=why)
    hits = tuple(passage for passage, _ in passages.search(question))
    if not hits:
        raise RagError(gettext("no passage shares a word with the question, and {why}").format(why=why))
    return Answer(hits, "keywords", why, requests=0)


@contextmanager
def _bar(text: str) -> Iterator[OnProgress]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(escape(text), total=None)
        yield lambda there, of: bar.update(task, completed=there, total=of)
