"""The status page: one answer at the top, then everything behind it. No build step, no framework.

home     the snapshot as the page shows it                                   [pure]
hops     a chain as it stands: its hops, and its ledger                      [pure]
drill    one drill as its page shows it                                      [pure]
badge    one sentence as a picture                                           [pure]
render   templates, the style sheet and the script
"""
