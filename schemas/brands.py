"""What is known of each provider by its name: which settings are its own, and what its calls cost."""

from schemas.budgets import Price

# By provider: the setting that lets us in, and the one that says where.
KEYS = {
    "perplexity": "perplexity_api_key",
    "anthropic": "anthropic_api_key",
    "google": "google_client_secret",
    "gemini": "gemini_api_key",
    "brave": "brave_api_key",
    "congress": "congress_api_key",
    "elevenlabs": "elevenlabs_api_key",
    "telegram": "telegram_token",
    "voyage": "voyage_api_key",
}
# ... and what that setting is called in the environment.
VARIABLES = {
    "perplexity": "PERPLEXITY_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GOOGLE_CLIENT_SECRET",
    "gemini": "GEMINI_API_KEY",
    "brave": "BRAVE_API_KEY",
    "congress": "CONGRESS_API_KEY",
    "elevenlabs": "ELEVENLABS_API_KEY",
    "telegram": "TELEGRAM_BOT_TOKEN",
    "voyage": "VOYAGE_API_KEY",
}
BASES = {
    "perplexity": "perplexity_base_url",
    "anthropic": "anthropic_base_url",
    "google": "google_api_url",
    "gemini": "gemini_base_url",
    "brave": "brave_base_url",
    "congress": "congress_base_url",
    "elevenlabs": "elevenlabs_base_url",
    "telegram": "telegram_base_url",
    "voyage": "voyage_base_url",
}

# What calls cost, by "provider/model": their list prices as we knew them, so to be checked against what the providers
# charge you. A model without a price is not called. The search's say how many searches a call makes at most, and how
# much of what it finds is put before its model.
PRICES = {
    "perplexity/perplexity/sonar": Price(input_usd=0.25, output_usd=2.5, call_usd=0.015, context_tokens=20_000),
    "anthropic/claude-sonnet-5-5": Price(input_usd=3, output_usd=15, context_tokens=1000),
    "anthropic/claude-haiku-5-5": Price(input_usd=1, output_usd=5, context_tokens=1000),
    "gemini/gemini-3.5-flash": Price(input_usd=0.3, output_usd=2.5, context_tokens=1000),
    "voyage/voyage-4": Price(input_usd=0.06, output_usd=0),
    "brave/news": Price(input_usd=0, output_usd=0, call_usd=0.005),
    # By the letter: what is spoken counts as tokens in.
    "elevenlabs/eleven_v3": Price(input_usd=300, output_usd=0),
}
