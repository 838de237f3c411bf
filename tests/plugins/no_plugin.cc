int NoPlugin() { return 1; }
