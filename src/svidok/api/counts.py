"""What this process counts of its own door, for `/metrics`. No people, no addresses: those are in the trail."""

from prometheus_client import Counter

LOOKS = Counter("svidok_looks", "Lines of the trail written before something was shown.", ["action"])
REFUSALS = Counter("svidok_refusals", "Requests that were refused or failed, by the code of the error.", ["code"])
