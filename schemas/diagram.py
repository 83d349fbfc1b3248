"""The lifecycle's table as the diagram and the tables of ``docs/architecture.md``; a test keeps the page equal to it."""

from collections.abc import Iterator

from schemas.lifecycle import STATES, TERMINAL, TRANSITIONS, Action, ClockRule, State, Transition

BEGIN = "<!-- lifecycle: made by `make docs` from schemas/lifecycle.py -->"
END = "<!-- lifecycle: end -->"


def lifecycle_page() -> str:
    """Markdown: a Mermaid state diagram, then who waits in each state, then who may take each step."""
    return "\n".join([BEGIN, "", *_diagram(), "", *_states(), "", *_steps(), "", END])


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> draft: create"
    for source in State:
        for target in State:
            verbs = [
                row.action.value
                for row in TRANSITIONS
                if source in row.sources and target in row.targets and source is not target
            ]
            if verbs:
                yield f"    {source} --> {target}: {', '.join(dict.fromkeys(verbs))}"
    for state in State:
        if state in TERMINAL:
            yield f"    {state} --> [*]"
    yield "```"


_CLOCK = {
    ClockRule.NOT_STARTED: "not started",
    ClockRule.RUNS: "runs",
    ClockRule.PAUSED: "paused",
    ClockRule.STOPPED: "stopped",
}


def _states() -> Iterator[str]:
    yield "| State | FHIR status | The next move belongs to | Clock | At whose account |"
    yield "|---|---|---|---|---|"
    for state, rule in STATES.items():
        cause = rule.cause.value if rule.cause else "–"
        yield f"| {state} | {rule.fhir} | {rule.owner.replace('_', ' ')} | {_CLOCK[rule.clock]} | {cause} |"


def _steps() -> Iterator[str]:
    yield "| Step | From | To | By |"
    yield "|---|---|---|---|"
    for row in TRANSITIONS:
        if row.action not in {Action.REMIND, Action.ESCALATE}:
            yield f"| {row.action} | {_list(row.sources)} | {_list(row.targets)} | {_takers(row)} |"
    yield "| remind, escalate | every state that is not final | the same | the system |"


def _list(states: tuple[State, ...]) -> str:
    return ", ".join(states)


def _takers(row: Transition) -> str:
    if row.by_system:
        return "the system"
    takers = ", ".join(f"{taker.role} ({taker.relation})" for taker in row.takers)
    notes = [note for note, holds in (("owner", row.owner_only), ("fresh sign-in", row.fresh)) if holds]
    return f"{takers}; {', '.join(notes)}" if notes else takers


def put_into(page: str) -> str:
    """The page with its generated part made anew. Raises ValueError when it has no place for it."""
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError("the page has no place for the lifecycle")
    return before + lifecycle_page() + after
