"""Data in and out: CSV files and their mappings, natural keys, imports that can be continued, generated data.

Whatever is written goes through records.writing.save, as a member with his rights. No GraphQL, no HTTP, no SQL here.
"""

from sources.binding import Binding, bind
from sources.csv import DELIMITERS, ENCODINGS, Survey, Unreadable, read_rows, survey
from sources.faults import FaultFile, RowFault
from sources.importer import DEFAULT_BATCH, Options, Summary, import_file
from sources.mapping import NO_MAPPING, Mapping, parse_mapping, read_mapping
from sources.metaschema import MAPPING_METASCHEMA
from sources.progress import Counts, Progress, Step
from sources.seat import Seat
from sources.state import default_state_path
from sources.template import CRM, read_template, template_mapping, template_names, template_queries

__all__ = [
    "CRM",
    "DEFAULT_BATCH",
    "DELIMITERS",
    "ENCODINGS",
    "MAPPING_METASCHEMA",
    "NO_MAPPING",
    "Binding",
    "Counts",
    "FaultFile",
    "Mapping",
    "Options",
    "Progress",
    "RowFault",
    "Seat",
    "Step",
    "Summary",
    "Survey",
    "Unreadable",
    "bind",
    "default_state_path",
    "import_file",
    "parse_mapping",
    "read_mapping",
    "read_rows",
    "read_template",
    "survey",
    "template_mapping",
    "template_names",
    "template_queries",
]
