from ._certificate import Certificate as Certificate
from ._certify import certify as certify
from ._certify_decisions import certify_decisions as certify_decisions
from ._check_certificate import UnprovedError as UnprovedError
from ._check_certificate import check_certificate as check_certificate
from .checker._check import Checked as Checked
