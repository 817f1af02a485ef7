"""What all tables are made of."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """A time, always with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def customer() -> Column[str]:
    """The first part of every key."""
    return Column("customer_id", Text, ForeignKey("customers.customer_id"), primary_key=True)


def text_column(name: str) -> Column[str]:
    """Empty where there is nothing to say."""
    return Column(name, Text, nullable=False, server_default="")


def count(name: str) -> Column[int]:
    """From 0 on."""
    return Column(name, Integer, nullable=False, server_default="0")
