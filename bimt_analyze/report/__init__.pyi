from ._report import Report as Report
from ._require import Finding as Finding
from ._require import Requirement as Requirement
