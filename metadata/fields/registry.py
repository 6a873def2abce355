"""The field types, in the order in which they are asked whether they recognise a plain JSON Schema property."""

from __future__ import annotations

from base.registry import Registry
from metadata.field import FieldType
from metadata.fields.boolean import BooleanType
from metadata.fields.children import ChildrenType
from metadata.fields.choice import ChoiceType
from metadata.fields.choices import ChoicesType
from metadata.fields.date import DateType
from metadata.fields.date_time import DateTimeType
from metadata.fields.decimal import DecimalType
from metadata.fields.email import EmailType
from metadata.fields.float import FloatType
from metadata.fields.integer import IntegerType
from metadata.fields.json import JsonType
from metadata.fields.long import LongType
from metadata.fields.long_text import LongTextType
from metadata.fields.member import MemberType
from metadata.fields.percent import PercentType
from metadata.fields.phone import PhoneType
from metadata.fields.reference import ReferenceType
from metadata.fields.references import ReferencesType
from metadata.fields.sequence import SequenceType
from metadata.fields.tags import TagsType
from metadata.fields.team import TeamType
from metadata.fields.text import TextType
from metadata.fields.time import TimeType
from metadata.fields.url import UrlType
from metadata.fields.uuid import UuidType

FIELD_TYPES: Registry[FieldType] = Registry(
    ReferenceType(),
    ReferencesType(),
    ChildrenType(),
    MemberType(),
    TeamType(),
    ChoiceType(),
    ChoicesType(),
    TagsType(),
    DateType(),
    DateTimeType(),
    TimeType(),
    EmailType(),
    UrlType(),
    PhoneType(),
    UuidType(),
    SequenceType(),
    DecimalType(),
    PercentType(),
    LongType(),
    IntegerType(),
    FloatType(),
    BooleanType(),
    LongTextType(),
    TextType(),
    JsonType(),
)
"""All of them; docs/field-types.md describes each."""
