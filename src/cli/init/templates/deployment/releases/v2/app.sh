#!/usr/bin/env bash
# Stands for your application.
echo "hello from v2"
