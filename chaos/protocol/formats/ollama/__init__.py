"""Ollama's own API: chats, single prompts, embeddings."""
