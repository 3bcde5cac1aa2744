"""Carry plans out: inject the fault, ask the gateway, observe, judge, report.

campaign ─► driller ─► injectors/ (redirect, twin) ─► witness
└──► client ─► gateway
"""
