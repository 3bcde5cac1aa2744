"""Twenty tools with nested schemas, as coding agents offer them.

Only words of JSON schema that every provider takes: no references, no ``oneOf``. The limits are
among those that every provider takes too, so that a gateway which loses them shows.
"""

from typing import Any

from chaos.protocol.conversation import ToolSpec

Schema = dict[str, Any]


def _text(about: str) -> Schema:
    return {"type": "string", "description": about}


def _count(about: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": about}


def _flag(about: str) -> Schema:
    return {"type": "boolean", "description": about}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _many(items: Schema, about: str) -> Schema:
    return {"type": "array", "items": items, "maxItems": 100, "description": about}


def _record(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


_PATH = {
    **_text("Absolute path, with forward slashes, below the root of the workspace."),
    "pattern": "^/",
    "maxLength": 4096,
}
_RANGE = _record(
    "first_line",
    "last_line",
    first_line=_count("The first line, counted from one."),
    last_line=_count("The last line, itself included."),
)
_FILTER = _record(
    include=_many(_text("A glob pattern."), "Only files that fit one of these patterns."),
    exclude=_many(_text("A glob pattern."), "No files that fit one of these patterns."),
    hidden=_flag("Whether files whose name begins with a dot are looked at."),
)
_LIMITS = _record(
    timeout_seconds=_count("After how many seconds to give up."),
    output_characters=_count("How much of the output to keep, from its end."),
)
_PERSON = _record(
    "name", name=_text("The name of the person or team."), channel=_choice("mail", "chat", "phone")
)

FILE_REPORT = ToolSpec(
    name="file_report",
    description="File the final report of a task. Call it once, when the task is finished.",
    parameters=_record(
        "report",
        report=_record(
            "token",
            "severity",
            "attempts",
            "finished",
            "steps",
            token=_text("The token of the task, exactly as it was given."),
            severity=_choice("low", "medium", "high"),
            attempts=_count("How many attempts were needed."),
            finished=_flag("Whether the task is finished."),
            steps=_many(_text("One step."), "The steps that were taken, in order."),
        ),
    ),
)

_OTHERS: tuple[tuple[str, str, Schema], ...] = (
    (
        "read_file",
        "Read a text file, whole or in part. Lines come back with their numbers.",
        _record("path", path=_PATH, range=_RANGE, encoding=_choice("utf-8", "latin-1")),
    ),
    (
        "write_file",
        "Write a whole file, and make the folders above it where they are missing.",
        _record("path", "text", path=_PATH, text=_text("All of it."), mode=_choice("new", "any")),
    ),
    (
        "edit_file",
        "Replace passages of a file. Every passage must be there exactly once.",
        _record(
            "path",
            "edits",
            path=_PATH,
            edits=_many(
                _record(
                    "before", "after", before=_text("As it is."), after=_text("As it shall be.")
                ),
                "The passages, from the top to the bottom of the file.",
            ),
        ),
    ),
    (
        "list_folder",
        "List the files of a folder with their sizes and times.",
        _record("path", path=_PATH, depth=_count("How many levels to go down."), filter=_FILTER),
    ),
    (
        "search_text",
        "Search files for a text or a regular expression, and show the lines around each hit.",
        _record(
            "query",
            query=_record("text", text=_text("What to search for."), regular=_flag("A pattern.")),
            filter=_FILTER,
            context_lines=_count("How many lines to show before and after."),
        ),
    ),
    (
        "run_command",
        "Run a command in the workspace without a terminal, and wait for its end.",
        _record(
            "arguments",
            arguments=_many(_text("One word."), "The command and its arguments."),
            environment=_many(
                _record("name", "value", name=_text("Its name."), value=_text("Its value.")),
                "Variables to set.",
            ),
            limits=_LIMITS,
        ),
    ),
    (
        "run_tests",
        "Run tests and tell which of them failed, with their messages.",
        _record(
            selection=_record(files=_many(_PATH, "Only these files."), match=_text("A name.")),
            order=_choice("as_written", "random", "failed_first"),
            limits=_LIMITS,
        ),
    ),
    (
        "check_types",
        "Run the type checker and list what it complains about.",
        _record(files=_many(_PATH, "Only these files."), every_rule=_flag("With every rule.")),
    ),
    (
        "format_code",
        "Format files in place.",
        _record("files", files=_many(_PATH, "Which files."), line_length=_count("At most.")),
    ),
    (
        "show_changes",
        "Show what has changed since a revision.",
        _record(
            since=_text("A revision."),
            paths=_many(_PATH, "Only these."),
            detail=_choice("names", "statistics", "lines"),
        ),
    ),
    (
        "commit_changes",
        "Commit changed files with a message.",
        _record(
            "message",
            message=_record(
                "subject", subject=_text("At most 72 characters."), body=_text("Why, not what.")
            ),
            paths=_many(_PATH, "Only these."),
            sign_off=_flag("Whether to add a sign-off line."),
        ),
    ),
    (
        "fetch_page",
        "Fetch a public web page and turn it into plain text.",
        _record(
            "url",
            url=_text("The address, with its scheme."),
            limits=_LIMITS,
            wanted=_choice("text", "links", "tables"),
        ),
    ),
    (
        "search_web",
        "Search the web and list titles, addresses and short summaries.",
        _record(
            "query",
            query=_text("A few words."),
            sites=_many(_text("A host name."), "Only these sites."),
            newest_first=_flag("Order by time instead of relevance."),
        ),
    ),
    (
        "query_database",
        "Run one read-only query against the project's database.",
        _record(
            "query",
            query=_text("One statement."),
            parameters=_many(
                _record("name", "value", name=_text("Its name."), value=_text("Its value.")),
                "Values of named parameters.",
            ),
            most_rows=_count("How many rows to return at most."),
        ),
    ),
    (
        "plan_task",
        "Write down or change the list of steps that are left.",
        _record(
            "steps",
            steps=_many(
                _record(
                    "title",
                    "state",
                    title=_text("In a few words."),
                    state=_choice("open", "running", "done", "dropped"),
                    notes=_many(_text("A note."), "What was learnt."),
                ),
                "All steps, in order.",
            ),
        ),
    ),
    (
        "ask_person",
        "Ask somebody a question, and wait for the answer.",
        _record(
            "question",
            question=_text("One question."),
            person=_PERSON,
            choices=_many(_text("A possible answer."), "What can be answered."),
        ),
    ),
    (
        "send_message",
        "Send a message that needs no answer.",
        _record("text", "to", text=_text("The message."), to=_many(_PERSON, "To whom.")),
    ),
    (
        "schedule_reminder",
        "Be reminded of something at a later time.",
        _record(
            "about",
            about=_text("Of what."),
            when=_record("minutes", minutes=_count("In how many."), repeat=_flag("Every day.")),
        ),
    ),
    (
        "read_logs",
        "Read the last lines that a service has logged.",
        _record(
            "service",
            service=_text("Its name."),
            level=_choice("debug", "info", "warning", "error"),
            window=_record(minutes=_count("How far to go back."), lines=_count("At most.")),
        ),
    ),
)

TOOLS: tuple[ToolSpec, ...] = (
    *(ToolSpec(name, about, parameters) for name, about, parameters in _OTHERS),
    FILE_REPORT,
)
