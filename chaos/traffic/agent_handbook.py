"""A system prompt as long as those of real agents; about nothing, but no two rules alike."""

_CHAPTERS = (
    "Reading before writing",
    "Changing code",
    "Running commands",
    "Tests",
    "Errors and retries",
    "Talking to people",
    "Working with data",
    "Version control",
    "Looking things up",
    "Finishing a task",
)
_OCCASIONS = (
    "a file is longer than expected",
    "two sources contradict each other",
    "a command prints a warning",
    "a test fails for the first time",
    "the request leaves something open",
    "a change touches several modules",
    "a name could be misunderstood",
    "an earlier step turns out to be wrong",
    "a tool answers with an error",
    "the work takes longer than planned",
    "a comment no longer fits the code",
    "something looks unused",
    "a limit is about to be reached",
)
_DUTIES = (
    "look at the whole passage before you decide",
    "say in one sentence what you found and go on",
    "choose the smaller of the two possible changes",
    "write down the assumption that you make",
    "run the narrowest test that can show the difference",
    "undo what did not help before you try the next thing",
    "prefer the convention that the neighbouring code follows",
    "keep the old behaviour unless the task names it",
    "stop and ask if the answer would change the result",
    "mention it in the final report and nowhere else",
    "repeat the step once, and then treat the failure as real",
)
_REASONS = (
    "because the next reader will not know what you knew",
    "so that the change can be reviewed in one sitting",
    "because guesses that are not marked look like facts",
    "so that nobody has to find the cause a second time",
    "because silent repairs hide the real fault",
    "so that the history tells one story",
    "because a short answer that is right is worth more than a long one",
)
_OPENING = (
    "You are an agent that works in a code repository on behalf of a developer. You have tools; "
    "use them as these rules say, and do exactly what the developer asks."
)


def handbook(characters: int) -> str:
    """Write numbered rules in chapters until *characters* are used up."""
    lines = [_OPENING]
    length, rule = len(lines[0]), 0
    while length < characters:
        if rule % 20 == 0:
            chapter = rule // 20
            title = _CHAPTERS[chapter % len(_CHAPTERS)]
            lines.append(f"\n## {chapter + 1}. {title}\n")
            length += len(lines[-1]) + 1
        rule += 1
        occasion = _OCCASIONS[rule % len(_OCCASIONS)]
        duty, reason = _DUTIES[rule % len(_DUTIES)], _REASONS[rule % len(_REASONS)]
        lines.append(f"{rule}. When {occasion}, {duty}, {reason}.")
        length += len(lines[-1]) + 1
    return "\n".join(lines)
