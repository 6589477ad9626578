"""What others are told of users: subscriptions, presence, waiting messages, text messages."""
