"""Every case of bad data."""

from tests.corpus.bad_files import FILES
from tests.corpus.bad_misreadings import MISREADINGS
from tests.corpus.bad_requests import PLANS
from tests.corpus.bad_structure import STRUCTURE
from tests.corpus.bad_values import VALUES

CASES = (*STRUCTURE, *VALUES, *PLANS, *FILES, *MISREADINGS)
