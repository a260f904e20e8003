"""Statements about a running Weir that no other file holds: names of log fields, metrics and health in modules."""
import json

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core

BATCH = 'otelcol.processor.batch "b" {\n\toutput { }\n}\n'


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def imported(content):
    return f'import.string "lib" {{\n\tcontent = {quoted(content)}\n}}\n'


def test_deprecated_function_is_named_in_the_log(weir):
    w = weir('declare "d" {\n\targument "a" { }\n}\nd "x" {\n\ta = json_decode("1")\n}\n')
    await_that("the line is there", lambda: "function=json_decode" in w.log)


@pytest.mark.parametrize("content, health, line", [
    ('declare "a" {', "cannot be parsed", "failed to parse file on update"),
    ('logging { }', "is invalid", "failed to process imported content"),
])
def test_bad_content_is_told_by_its_kind(weir, content, health, line):
    w = weir(imported(content))
    await_that("the line is there", lambda: line in w.log)
    assert f'imported content from \\"lib\\" {health}: lib:1:' in w.log
    assert 'health_type="unhealthy"} 1' in w.get("/metrics").text


def test_declares_of_one_name_are_logged(weir):
    w = weir(imported('declare "a" { }\ndeclare "a" { }\n'))
    await_that("the line is there", lambda: 'msg="declare block redefined"' in w.log)


def test_controllers_are_modules_not_imports(weir):
    w = weir(imported('declare "a" {\n' + BATCH + '}\n') + 'lib.a "x" { }\n')
    text = w.get("/metrics").text
    assert 'alloy_component_controller_evaluating{controller_id="lib.a.x",controller_path="/"}' in text
    assert "import.string.lib" not in text


def test_a_foreach_shows_no_template(weir):
    w = weir('foreach "f" {\n\tcollection = ["a"]\n\tvar = "x"\n\ttemplate {\n' + BATCH + "\t}\n}\n", "--stability.level=experimental")
    shown = json.loads(w.get("/api/v0/web/components/foreach.f").body)["arguments"]
    assert [a["name"] for a in shown] == ["collection", "var"]


def test_no_item_no_fault(weir):
    config = 'foreach "f" {\n\tcollection = %s\n\tvar = "x"\n\ttemplate {\n\t\tno.such "a" { }\n\t}\n}\n'
    w = weir(config % "[]", "--stability.level=experimental")
    answer = w.reload(config % "[1]")
    assert answer.status == 400 and 'cannot find the definition of component name "no.such"' in answer.text


FOREACH = """foreach "f" {
	collection = ["a"]
	var = "x"
	enable_metrics = %s
	template {
		otelcol.processor.batch "b" {
			output { }
		}
	}
}
"""


def test_metrics_of_items_come_and_go(weir):
    w = weir(FOREACH % "false", "--stability.level=experimental")
    inside = {"component_path": "/foreach.f/foreach_a_1"}
    name = "otelcol_processor_batch_metadata_cardinality"
    for wanted in ("true", "false", "true"):
        assert w.reload(FOREACH % wanted).status == 200
        await_that(f"enable_metrics = {wanted} holds", lambda: (w.metric(name, **inside) is not None) == (wanted == "true"))
        assert w.health("foreach.f")["state"] == "healthy"


def test_arguments_that_a_body_cannot_take_fail_the_instance(weir, tmp_path):
    value = tmp_path / "value"
    value.write_text("5s")
    w = weir(f'local.file "t" {{\n\tfilename = "{value}"\n}}\n' + """declare "d" {
	argument "t" { }
	otelcol.processor.batch "b" {
		timeout = argument.t.value
		output { }
	}
}
d "x" {
	t = local.file.t.content
}
""")
    value.write_text("bad")
    await_that("the instance is unhealthy", lambda: w.health("d.x")["state"] == "unhealthy")
    assert "invalid duration" in w.health("d.x")["message"]
    assert w.get("/-/healthy").text == "unhealthy components: d\n"
    value.write_text("7s")
    await_that("it is well again", lambda: w.health("d.x")["state"] == "healthy")


def test_a_link_in_a_folder_is_followed_to_its_file(weir, tmp_path):
    """The file stands elsewhere and is rewritten in place: nothing in the folder changes."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    file = tmp_path / "there" / "a.alloy"
    file.write_text(BATCH)
    (tmp_path / "here" / "a.alloy").symlink_to(file)
    w = weir(None, path=tmp_path / "here")
    for label in ("c", "d"):  # the first may be seen by the look that begins the watch
        file.write_text(BATCH.replace('"b"', f'"{label}"'))
        await_that("the change is followed", lambda: w.health(f"otelcol.processor.batch.{label}"))
