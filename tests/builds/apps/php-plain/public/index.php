<?php

$database = new PDO('sqlite:' . __DIR__ . '/../visits.db');
$database->exec('CREATE TABLE IF NOT EXISTS visits (at INTEGER)');
$database->exec('INSERT INTO visits VALUES (1)');

echo "Visited\n";
