"""The drill engine: rehearse a gateway's fallbacks and judge what really answered.

A library that knows nothing of daemons; ``supervisor`` is built on it, never the other way. Each
package is a subject and imports only packages before it (``pyproject.toml``, import-linter):

    process, protocol          our own processes; what LLM APIs say
    faults, traffic, gateway   how upstreams fail; what drills ask; what LiteLLM is
    scenario, witness          what to drill; who stands in for the upstreams
    judge, lab                 from what was seen to a verdict; somewhere to try it
    drill                      carry it out, and report
"""
