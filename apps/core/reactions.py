"""What core itself does when something happened."""

from apps.core.events import reacts_to
from apps.core.runs import RunWaits, run_work


@reacts_to(RunWaits, atomic=False)
def run_go_on(event: RunWaits) -> None:
    """A slice of the run; it says itself when there is more."""
    run_work(event.run_id)
