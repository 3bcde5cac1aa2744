"""OpenAI's chat completions, which vLLM and most others speak too."""
