"""What the say modules of all languages share: the request, numbers, amounts, moments and spelling as prompt names."""
