from ._analyze_many import analyze_many as analyze_many
from ._fleet import Fleet as Fleet
from ._gather import holds_many as holds_many
from ._gather import jobs_of as jobs_of
from ._manifest import read_manifest as read_manifest
from ._member import Failure as Failure
from ._member import Member as Member
from ._member import q_values as q_values
