from ._analyze_many import analyze_many as analyze_many
from ._fleet import Fleet as Fleet
