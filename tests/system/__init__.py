"""Tests of the whole: a campaign beside real traffic, chains as LiteLLM walks them."""
