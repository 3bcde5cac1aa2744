"""A report for people and machines: tables, details and JUnit."""
