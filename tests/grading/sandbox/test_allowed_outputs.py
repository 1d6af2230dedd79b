import base64

import nbformat
import pytest

from halab.grading.sandbox.allowed_outputs import allowed_outputs

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff" + bytes(20)).decode()


def shown(data, **more):
    return allowed_outputs([{"output_type": "display_data", "data": data, **more}])


def test_text_prose_and_images_stay_and_are_outputs_of_a_notebook():
    sent = [
        {"output_type": "stream", "name": "stderr", "text": ["a", "b"]},
        {
            "output_type": "execute_result",
            "data": {"text/plain": "1", "text/html": "<b>1</b>"},
            "execution_count": 3,
        },
        {
            "output_type": "display_data",
            "data": {"image/png": PNG + "\n", "image/jpeg": JPEG},
            "metadata": {},
        },
    ]
    outputs = allowed_outputs(sent)
    for output in outputs:
        nbformat.v4.nbbase.validate(output, ref="output")
    assert outputs[0].text == "ab"
    assert outputs[1].data == {"text/plain": "1", "text/html": "<b>1</b>"}
    assert outputs[2].data == {"image/png": PNG, "image/jpeg": JPEG}


def test_metadata_goes_whatever_it_says():
    attack = {"image/png": {"width": "1 onload=eval(atob('...'))"}, "filenames": {"image/png": "http://x"}}
    (output,) = shown({"image/png": PNG}, metadata=attack, transient=attack)
    assert output.metadata == {}
    assert set(output) == {"output_type", "data", "metadata"}


@pytest.mark.parametrize(
    "kind",
    ["image/svg+xml", "application/javascript", "application/json", "application/pdf", "text/vnd.mermaid",
     "application/vnd.jupyter.widget-view+json", "image/gif", "text/html ", "TEXT/HTML", "image/png\" x"],
)  # fmt: skip
def test_types_that_are_not_allowed_go(kind):
    assert shown({kind: PNG}) == []
    (output,) = shown({kind: PNG, "text/plain": "x"})
    assert output.data == {"text/plain": "x"}


@pytest.mark.parametrize(
    "image", ["", "x", "<svg onload=x>", base64.b64encode(b"GIF89a").decode(), PNG + '" onload="x', [1],
     None, 7, {"a": PNG}, "é", "\ud800"],
)  # fmt: skip
def test_what_is_no_such_image_goes(image):
    assert shown({"image/png": image}) == []


def test_a_learner_sends_no_errors_and_no_names_of_streams():
    error = {"output_type": "error", "ename": "ProcessExited", "evalue": "enter 20 of 20", "traceback": []}
    stream = {"output_type": "stream", "name": "<script>", "text": "x"}
    assert [output.name for output in allowed_outputs([error, stream])] == ["stdout"]


def test_thousands_of_bad_keys_cost_nothing_and_half_characters_are_written():
    keys = {f"bad/{number}": {} for number in range(260_000)}
    (output,) = shown(keys | {"text/plain": "a\ud800"}, metadata=keys)
    assert output.data["text/plain"] == "a?"


@pytest.mark.parametrize(
    "sent", [[7], [None], [[]], [{}], [{"output_type": []}], [{"output_type": "stream"}]]
)
def test_what_is_no_output_goes(sent):
    assert allowed_outputs(sent) == []
