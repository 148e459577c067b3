"""contrib/bench: the plan keeps inside its time, and knows its servers and workloads."""

from dataclasses import replace

import pytest

from contrib.bench.accounts import Population, make_accounts
from contrib.bench.peers import PEERS
from contrib.bench.plan import FULL, QUICK, Plan, only
from contrib.bench.run import read_options, within_file_limit
from contrib.bench.targets import TARGETS
from contrib.bench.workloads import WORKLOADS


@pytest.mark.parametrize(("plan", "minutes"), [(FULL, 15), (QUICK, 3)])
def test_a_plan_takes_no_longer_than_promised(plan: Plan, minutes: int) -> None:
    assert plan.estimate() < minutes * 60


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_what_is_planned_is_there(plan: Plan) -> None:
    assert {step.workload for step in plan.steps} <= set(WORKLOADS)
    assert {server for step in plan.steps for server in step.servers} <= set(PEERS)


def test_the_whole_plan_has_every_workload_and_every_target() -> None:
    # What the desk costs is measured by a program of its own, against imserver without it.
    assert {step.workload for step in FULL.steps} == set(WORKLOADS) - {"desk"}
    assert {target.step for _, target in TARGETS} <= {step.name for step in FULL.steps}
    assert {10_000, 1_000_000} <= set(FULL.paging)


def test_names_of_steps_are_unique() -> None:
    assert len({step.name for step in FULL.steps}) == len(FULL.steps)


def test_a_step_is_chosen_by_its_name_or_its_workload() -> None:
    assert [step.name for step in only(FULL, ["idle", "chat-on"]).steps] == ["chat-on", "idle"]
    assert {step.workload for step in only(FULL, ["chat"]).steps} == {"chat"}
    assert only(FULL, ["paging"]) == Plan(steps=[], paging=FULL.paging)


def test_figures_given_on_the_command_line_replace_the_planned_ones() -> None:
    options = read_options(["--only", "chat-on", "--servers", "imserver", "--clients", "4", "--repeat", "1"])

    (step,) = options.plan.steps
    assert (step.clients, step.repeat, step.servers) == (4, 1, ("imserver",))
    assert step.heading.startswith("archive on: 4 clients")


def test_nobody_has_more_contacts_than_there_are() -> None:
    (step,) = read_options(["--only", "presence", "--clients", "20"]).plan.steps

    assert step.contacts == 18


@pytest.mark.parametrize("arguments", [["--servers", "nobody"], ["--clients", "3"], ["--only", "nothing"]])
def test_nonsense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(arguments)


def test_more_clients_than_files_are_left_out_loudly() -> None:
    said: list[str] = []

    kept = within_file_limit(replace(FULL, paging=()), 4096, said.append)

    assert max(step.clients for step in kept.steps) < 4096
    assert len(said) == len(FULL.steps) - len(kept.steps) == 1


def test_contacts_stand_on_either_side_and_see_each_other() -> None:
    accounts = make_accounts(10)
    population = Population(accounts, contacts=4)

    assert [contact.local[-1] for contact in population.contacts_of(0)] == ["8", "9", "1", "2"]
    for number, account in enumerate(accounts):
        for contact in population.contacts_of(number):
            assert account in population.contacts_of(accounts.index(contact))
