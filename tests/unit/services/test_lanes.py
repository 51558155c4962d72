"""Background work ends in one of three ways, whatever happens to the process that does it."""

import os
import signal
import sys
import threading
import time

import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.services.jobs import Cancelled, Job, JobState
from limbstudio.services.lanes import InlineLane, ProcessLane, ThreadLane

# ------------------------------------------------------- what the process runs: functions of this module


def double(context, number):
    context.report(0.5, "Doubling")
    return 2 * number


def process_id(context):
    return os.getpid()


def refuse(context):
    raise KnownError("The photo is empty.", "Choose another.")


def mistake(context):
    return 1 / 0


def exhaust(context):
    raise MemoryError


def kill_itself(context, number):
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(context):
    os._exit(3)


def work_politely(context):
    for step in range(100_000):
        context.report(step / 100_000, "Working")
        time.sleep(0.001)


def ignore_everything(context):
    context.report(0.5, "Deaf")
    time.sleep(600)


def swallow_errors(context):
    while True:
        try:
            context.report(0.1, "Trying")
            time.sleep(0.001)
        except Exception:  # noqa: BLE001, S112 - as other people's code does
            continue


def answer_with_what_cannot_be_sent(context):
    return threading.Lock()


def hoard(context, at_once):
    held = []
    while True:
        context.report(0.1, "Hoarding")
        held.append(bytearray(at_once))
        time.sleep(0.02)


def fill_the_gpu(context):
    error = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch.cuda"})
    raise error("CUDA out of memory")


def standing_at_the_end_of_the_line(context):
    with open("/proc/self/oom_score_adj") as file:
        return int(file.read())


def tell_all(context, steps):
    for fraction, sentence in steps:
        context.report(fraction, sentence)


def never_start():
    os._exit(4)


@pytest.fixture(scope="module")
def lane():
    made = ProcessLane("test", grace_s=0.5)
    yield made
    made.close()


def ended(job: Job, seconds: float = 30.0) -> Job:
    assert job.wait(seconds), "the job did not end"
    return job


def wait_for_sentence(job: Job, sentence: str) -> None:
    deadline = time.monotonic() + 30
    while job.sentence != sentence:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_runs_in_another_process_that_stays_warm(lane):
    first = ended(lane.submit(process_id, title="One"))
    second = ended(lane.submit(process_id, title="Two"))

    assert first.result == second.result == lane.process_id
    assert first.result != os.getpid()


def test_the_process_was_not_forked(lane):
    ended(lane.submit(process_id, title="One"))

    with open(f"/proc/{lane.process_id}/cmdline", "rb") as file:
        assert b"spawn_main" in file.read()


def test_a_known_error_arrives_as_words(lane):
    job = ended(lane.submit(refuse, title="Read"))

    assert job.state is JobState.FAILED
    assert (job.failure.message, job.failure.hint) == ("The photo is empty.", "Choose another.")
    assert not job.failure.is_ours
    with pytest.raises(KnownError, match="empty"):
        _ = job.result


def test_a_mistake_of_ours_arrives_as_a_report(lane):
    job = ended(lane.submit(mistake, title="Divide"))

    assert job.failure.is_ours
    assert "“Divide”" in job.failure.message
    assert "ZeroDivisionError" in job.failure.report
    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_a_lack_of_memory_is_the_worlds_fault(lane):
    job = ended(lane.submit(exhaust, title="Fit"))

    assert "not enough memory" in job.failure.message
    assert not job.failure.is_ours


def test_a_full_gpu_is_named_as_such(lane):
    job = ended(lane.submit(fill_the_gpu, title="Fit"))

    assert job.failure.message == "“Fit” stopped: the memory of the GPU is full."
    assert "on the CPU" in job.failure.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says what a process holds")
def test_a_process_that_takes_too_much_memory_is_stopped_before_the_window_starves():
    lane = ProcessLane("test", most_memory=300_000_000)
    job = ended(lane.submit(hoard, 20_000_000, title="Fit"))
    process_is_well = ended(lane.submit(double, 4, title="Double")).result == 8
    lane.close()

    assert job.failure.message == "“Fit” needed more than 300 MB of memory and was stopped."
    assert job.failure.process_ended
    assert process_is_well


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can be told so")
def test_the_system_ends_the_models_process_before_the_window(lane):
    with open("/proc/self/oom_score_adj") as file:
        ours = int(file.read())

    assert ended(lane.submit(standing_at_the_end_of_the_line, title="Who")).result > ours


def test_the_process_says_what_it_runs_on(lane):
    ended(lane.submit(double, 1, title="Double"))

    assert lane.device == "CPU"


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (kill_itself, (signal.SIGKILL,), "memory ran out"),
        (kill_itself, (signal.SIGSEGV,), "crashed"),
        (leave, (), "exit code 3"),
    ],
    ids=["killed", "crashed", "left"],
)
def test_the_death_of_the_process_ends_the_job_and_the_next_one_runs(lane, function, arguments, words):
    job = ended(lane.submit(function, *arguments, title="Fit"))

    assert job.state is JobState.FAILED
    assert words in f"{job.failure.message} {job.failure.hint}"
    assert job.failure.hint
    assert job.failure.process_ended
    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_the_process_may_be_killed_while_it_waits(lane):
    ended(lane.submit(double, 1, title="Double"))
    os.kill(lane.process_id, signal.SIGKILL)

    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_a_polite_job_stops_at_its_next_report_and_keeps_the_process(lane):
    before = ended(lane.submit(process_id, title="Who")).result
    job = lane.submit(work_politely, title="Work")
    wait_for_sentence(job, "Working")

    job.cancel()

    assert ended(job).state is JobState.CANCELLED
    assert ended(lane.submit(process_id, title="Who")).result == before


@pytest.mark.parametrize("firm", [False, True], ids=["after a grace", "at once"])
def test_a_deaf_job_is_stopped_with_its_process(lane, firm):
    job = lane.submit(ignore_everything, title="Deaf")
    wait_for_sentence(job, "Deaf")

    start = time.monotonic()
    job.cancel(firm=firm)

    assert ended(job).state is JobState.CANCELLED
    assert time.monotonic() - start < 10
    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_cancelling_gets_through_code_that_swallows_errors(lane):
    job = lane.submit(swallow_errors, title="Swallow")
    wait_for_sentence(job, "Trying")

    job.cancel()

    assert ended(job).state is JobState.CANCELLED


def test_a_hang_ends_with_a_message():
    lane = ProcessLane("test", patience_s=0.5)
    job = ended(lane.submit(ignore_everything, title="Fit"))
    lane.close()

    assert job.state is JobState.FAILED
    assert "no sign of life" in job.failure.message
    assert job.failure.process_ended


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot freeze a process")
def test_a_process_that_something_froze_is_stopped_and_the_next_job_runs():
    lane = ProcessLane("test", patience_s=2.0)
    ended(lane.submit(double, 1, title="Double"))
    frozen = lane.process_id
    os.kill(frozen, signal.SIGSTOP)

    job = ended(lane.submit(work_politely, title="Fit"))

    assert "no sign of life" in job.failure.message
    assert ended(lane.submit(double, 4, title="Double")).result == 8
    with pytest.raises(ProcessLookupError):
        os.kill(frozen, 0)
    lane.close()


def test_a_process_that_cannot_start_fails_its_jobs():
    lane = ProcessLane("test", warm_up=never_start)
    job = ended(lane.submit(double, 4, title="Double"), 60)
    lane.close()

    assert "could not start" in job.failure.message


def test_a_result_that_cannot_be_sent_fails_its_job_only(lane):
    job = ended(lane.submit(answer_with_what_cannot_be_sent, title="Lock"))

    assert job.failure.is_ours
    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_arguments_that_cannot_be_sent_fail_their_job_only(lane):
    job = ended(lane.submit(double, threading.Lock(), title="Lock"))

    assert job.failure.is_ours
    assert ended(lane.submit(double, 4, title="Double")).result == 8


def test_closing_ends_everything_and_leaves_no_process():
    lane = ProcessLane("test")
    running = lane.submit(ignore_everything, title="Deaf")
    waiting = lane.submit(double, 4, title="Double")
    wait_for_sentence(running, "Deaf")
    process = lane.process_id

    lane.close()

    assert (running.state, waiting.state) == (JobState.CANCELLED, JobState.CANCELLED)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert lane.submit(double, 4, title="Late").state is JobState.CANCELLED


# ------------------------------------------------------------------------------------ jobs in any lane


@pytest.fixture(params=["inline", "thread", "process"])
def any_lane(request, lane):
    if request.param == "process":
        yield lane
        return
    made = InlineLane() if request.param == "inline" else ThreadLane(1)
    yield made
    made.close()


def test_progress_never_falls_and_stays_within_its_bounds(any_lane):
    steps = [(0.3, "One"), (0.1, "Two"), (float("nan"), "Three"), (7.0, "Four"), (-1.0, "Five")]
    seen = []
    job = any_lane.submit(tell_all, steps, title="Tell")
    job.listen(lambda view: seen.append(view.progress))
    ended(job)

    assert seen == sorted(seen)
    assert job.progress == 1.0
    assert job.sentence == "Five"


def test_a_job_goes_through_its_states_in_order(any_lane):
    release = threading.Event()
    if isinstance(any_lane, ThreadLane):
        any_lane.submit(lambda context: release.wait(10), title="Hold")
    job = any_lane.submit(double, 2, title="Double")
    states = []
    job.listen(lambda view: states.append(view.state))
    release.set()
    ended(job)

    order = [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]
    assert [order.index(s) for s in states] == sorted(order.index(s) for s in states)
    assert states[-1] is JobState.SUCCEEDED
    assert job.result == 4


def test_finish_makes_the_result_in_this_process(any_lane):
    job = ended(any_lane.submit(double, 2, title="Double", finish=lambda n: (n, os.getpid())))

    assert job.result == (4, os.getpid())


def test_a_failing_finish_fails_the_job(any_lane):
    def fail(result):
        raise KnownError("The person was deleted.")

    job = ended(any_lane.submit(double, 2, title="Double", finish=fail))

    assert job.failure.message == "The person was deleted."


def test_a_waiting_job_is_cancelled_without_running():
    lane = ThreadLane(1)
    release, ran = threading.Event(), []
    lane.submit(lambda context: release.wait(10), title="Hold")
    job = lane.submit(lambda context: ran.append(1), title="Wait")

    job.cancel()

    assert ended(job).state is JobState.CANCELLED
    release.set()
    lane.close()
    assert ran == []


def test_jobs_of_the_photo_in_view_go_first():
    lane = ThreadLane(1)
    release, order = threading.Event(), []
    lane.submit(lambda context: release.wait(10), title="Hold")
    jobs = [
        lane.submit(lambda context, name: order.append(name), name, title=name, photo=name) for name in "abc"
    ]

    lane.put_first("c")
    release.set()
    for job in jobs:
        ended(job)

    assert order == ["c", "a", "b"]
    lane.close()


def test_a_listener_that_comes_late_hears_the_end_at_once():
    job = InlineLane().submit(double, 2, title="Double")
    seen = []

    job.listen(seen.append)

    assert [view.state for view in seen] == [JobState.SUCCEEDED]


def test_a_cancelled_thread_job_stops_at_its_next_report():
    lane = ThreadLane(1)
    job = lane.submit(work_politely, title="Work")
    wait_for_sentence(job, "Working")

    job.cancel()

    assert ended(job).state is JobState.CANCELLED
    lane.close()


def test_cancelled_is_no_exception_that_methods_would_swallow():
    assert not issubclass(Cancelled, Exception)


# ---------------------------------------------------------------------------------- resting while a person drags


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot let a process rest")
@pytest.mark.parametrize("make", [ProcessLane, ThreadLane])
def test_what_runs_rests_while_the_lane_is_held_and_goes_on_after(make):
    lane = make()
    job = lane.submit(work_politely, title="Work")
    wait_until(lambda: job.view().progress > 0)

    lane.hold(True)
    time.sleep(0.1)  # what was on its way arrives
    held_at = job.view().progress
    time.sleep(0.25)
    rested = job.view().progress
    lane.hold(False)
    wait_until(lambda: job.view().progress > rested)

    assert rested == held_at
    lane.close()
    assert job.state is JobState.CANCELLED


def test_a_lane_that_is_held_closes_without_waiting():
    lane = ProcessLane()
    job = lane.submit(work_politely, title="Work")
    wait_until(lambda: job.view().progress > 0)

    lane.hold(True)
    began = time.monotonic()
    lane.close()

    assert time.monotonic() - began < 4.0
    assert job.state is JobState.CANCELLED


def wait_until(holds, patience_s: float = 30.0) -> None:
    until = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
